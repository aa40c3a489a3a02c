import { describe, expect, test } from "vitest";
import { PrivateKeyPieces } from "../../src/contract/private-key-pieces.ts";

const [begin, end] = ["-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----"];

/** What is left of each piece. */
function shown(...texts: readonly string[]): readonly string[] {
  const pieces = new PrivateKeyPieces();
  return texts.map((text) => {
    const place = pieces.next(text);
    return place === undefined ? text : `${text.slice(0, place.start)}#${text.slice(place.end)}`;
  });
}

describe("a private key in pieces", () => {
  test("is hidden from its first line to its last, and nothing beside it", () => {
    expect(shown("a", `uses ${begin}`, "MIIE", "", "x: y", `Zg== ${end} done`, "b")).toEqual([
      "a",
      "uses #",
      "#",
      "#",
      "#",
      "# done",
      "b",
    ]);
  });

  test("may be PuTTY's, OpenPGP's or an encrypted one", () => {
    for (const [first, last] of [
      ["PuTTY-User-Key-File-3: ssh-ed25519", "Private-MAC: 00ff"],
      ["-----BEGIN PGP PRIVATE KEY BLOCK-----", "-----END PGP PRIVATE KEY BLOCK-----"],
      ["-----BEGIN ENCRYPTED PRIVATE KEY-----", "-----END ENCRYPTED PRIVATE KEY-----"],
    ] as const) {
      expect(shown(first, "secret", last, "after")).toEqual(["#", "#", "#", "after"]);
    }
  });

  test("may follow another in the same line", () => {
    expect(shown(begin, `x ${end} and ${begin}`, "y", end, "z")).toEqual(["#", "#", "#", "#", "z"]);
  });

  test("in one piece, a certificate and an end alone are left to others", () => {
    const whole = `${begin} MIIE ${end}`;
    const certificate = "-----BEGIN CERTIFICATE-----";
    expect(shown(whole, "a", certificate, "b", end, "c")).toEqual([
      whole,
      "a",
      certificate,
      "b",
      end,
      "c",
    ]);
  });

  test("that never ends is not believed for ever", () => {
    const lines = Array.from({ length: 300 }, () => "a line");
    const left = shown(begin, ...lines).filter((line) => line === "a line");
    expect(left).toHaveLength(300 - 256);
  });
});
