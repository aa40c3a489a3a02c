import { parse } from "yaml";
import { describe, expect, test } from "vitest";
import type { CliIo } from "../../src/cli/io.ts";
import { action } from "../../src/cli/io.ts";
import { outputFormats, printDocument, printList } from "../../src/cli/print.ts";

/**
 * CSI as one C1 byte, ESC, bidi override and isolate, a tag character, a line separator, and letters
 * and blanks that are drawn as nothing: Hangul filler, Braille blank, variation selector, wide space.
 */
const hostile =
  "a\u009b31m\u001b[2J\u202eb\u2066c\u{e0041}\u2028d\u3164\u2800\ufe0f\u3000e\nsecond line";
const unsafe =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u2028\u2029\u3164\u2800\u3000]|\ufe0f|\u{e0041}/u;

function io() {
  const lines: string[] = [];
  const write = (text: string): void => void lines.push(text);
  const cli: CliIo = {
    out: write,
    err: write,
    env: {},
    cwd: "/",
    exit: () => {},
    columns: undefined,
  };
  return { cli, lines };
}

describe("what a command prints", () => {
  test.each(outputFormats)("cannot move a terminal's cursor as %s", (format) => {
    const { cli, lines } = io();
    printDocument(cli, format, { tool: hostile });
    printList(cli, format, [{ tool: hostile }], [{ title: "TOOL", cell: ({ tool }) => tool }]);
    expect(lines.join("\n")).not.toMatch(unsafe);
    expect(lines.join("\n")).toContain("second line");
  });

  test("is the same document as JSON and YAML all the same", () => {
    const { cli, lines } = io();
    printDocument(cli, "json", { tool: hostile });
    printDocument(cli, "yaml", { tool: hostile });
    expect(JSON.parse(lines[0] ?? "")).toEqual({ tool: hostile });
    expect(parse(lines[1] ?? "")).toEqual({ tool: hostile });
  });

  test("as an error cannot move it either", async () => {
    const { cli, lines } = io();
    await action(cli, async () => {
      throw new Error(hostile);
    })();
    expect(lines.join("\n")).not.toMatch(unsafe);
  });
});
