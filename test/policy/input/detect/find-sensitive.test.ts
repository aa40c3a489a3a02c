import { describe, expect, test } from "vitest";
import type { DetectorKind } from "../../../../src/policy/input/detect/detector.ts";
import { detectorKinds } from "../../../../src/policy/input/detect/detector.ts";
import { findSensitive } from "../../../../src/policy/input/detect/find-sensitive.ts";

/** What is found, as text. */
function found(text: string, name?: string): readonly (readonly [DetectorKind, string])[] {
  return findSensitive(text, detectorKinds, name).map(
    ({ kind, start, end }) => [kind, text.slice(start, end)] as const,
  );
}

// None of these is a secret of anybody: made for this table.
const key40 = "q7Zt2Lm9Xc4Vb8Nd1Rf6Hy3Kp5Wj0Gs7Ta2Ue9".slice(0, 36);

describe("what is found", () => {
  test.each<[DetectorKind, string, string]>([
    [
      "email",
      "write to ann.o'hara+crm@mail.example.com, please",
      "ann.o'hara+crm@mail.example.com",
    ],
    ["email", "<müller@büro.example>", "müller@büro.example"],
    ["phone", "call +49 30 1234567 today", "+49 30 1234567"],
    ["phone", "(415) 555-2671", "(415) 555-2671"],
    ["phone", "Tel.: 030 / 123 45 67", "030 / 123 45 67"],
    ["payment_card", "card 4111 1111 1111 1111 exp", "4111 1111 1111 1111"],
    ["payment_card", "378282246310005", "378282246310005"],
    ["payment_card", "2223-0031-2200-3222", "2223-0031-2200-3222"],
    ["national_id", "SSN 536-22-1234", "536-22-1234"],
    ["national_id", "ssn: 536221234", "536221234"],
    ["national_id", "NI QQ is none, AB 12 34 56 C is", "AB 12 34 56 C"],
    ["national_id", "Steuer-ID 86095742719", "86095742719"],
    ["national_id", "NIR 2 55 08 14 168 025 38", "2 55 08 14 168 025 38"],
    ["national_id", "BSN 111222333", "111222333"],
    ["national_id", "DNI 12345678Z", "12345678Z"],
    ["national_id", "NIE X1234567L", "X1234567L"],
    ["national_id", "CF RSSMRA85T10A562S", "RSSMRA85T10A562S"],
    ["national_id", "PESEL 44051401359", "44051401359"],
    ["national_id", "född 811218-9876", "811218-9876"],
    ["national_id", "RR 85.07.30-033.28", "85.07.30-033.28"],
    ["national_id", "AHV 756.9217.0769.85", "756.9217.0769.85"],
    ["national_id", "CPF 529.982.247-25", "529.982.247-25"],
    ["national_id", "Aadhaar 2341 2341 2346", "2341 2341 2346"],
    ["national_id", "SIN 046 454 286", "046 454 286"],
    ["credential", "AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"],
    ["credential", `push with ghp_${key40} now`, `ghp_${key40}`],
    ["credential", "password = hunter2-Xy91", "hunter2-Xy91"],
    ["credential", "Authorization: Bearer abcDEF123456ghiJKL7890", "abcDEF123456ghiJKL7890"],
    ["credential", "postgres://app:s3cr3t-pw@db/crm", "s3cr3t-pw"],
    [
      "credential",
      "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTYifQ.c2lnbmF0dXJlLXRleHQ",
      "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTYifQ.c2lnbmF0dXJlLXRleHQ",
    ],
  ])("%s in %j", (kind, text, expected) => {
    expect(found(text)).toContainEqual([kind, expected]);
  });

  test("a private key, from its first line to its last", () => {
    const key = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQ==\n-----END EC PRIVATE KEY-----";
    expect(found(`a ${key} b ${key}`)).toEqual([
      ["private_key", key],
      ["private_key", key],
    ]);
    expect(found("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blb")).toEqual([
      ["private_key", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blb"],
    ]);
  });

  test("the name of a member says what its value is", () => {
    expect(found("k7Qm2Zx9Lp4V", "apiKey")).toEqual([["credential", "k7Qm2Zx9Lp4V"]]);
    expect(found("030 1234567", "mobile_number")).toEqual([["phone", "030 1234567"]]);
    expect(found("536221234", "ssn")).toEqual([["national_id", "536221234"]]);
  });
});

describe("what only looks like it", () => {
  test.each([
    "018f6b1e-7c3a-7d2e-9f10-0a1b2c3d4e5f",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "2026-11-22T13:45:00.123456Z",
    "2026-11-22 10:15:30",
    "22.11.2026 17:00",
    "1763819100000",
    "version 10.12.2026.1, build 20261122134500",
    "order 4111111111111112",
    "total 1234567.89 of 9876543210",
    "192.168.100.200:8080",
    "536221234 rows",
    "86095742718",
    "12345678A",
    "RSSMRA85T10A562T",
    "user@localhost",
    "@types/node@20.19.0",
    "git@github",
    "password must have 12 characters",
    "token: ${env:TOKEN_1234}",
    "secret=********1a",
    "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----",
    "000-12-3456",
    "a 5555-5555-5555-4444444 b",
    "ISBN 978-3-16-148410-0",
    "lat 52.5200066, lon 13.4049540",
  ])("%j", (text) => {
    expect(found(text)).toEqual([]);
  });
});

/** Quadratic time would be many minutes here. */
describe("hostile text takes linear time", () => {
  const size = 1 << 20;
  test.each([
    "@",
    "a@",
    "a.",
    "a@a.",
    "1",
    "1 ",
    "(1",
    "1-",
    "+1",
    "4111 ",
    "eyJ",
    "eyJaaaaaaaa.",
    "sk-",
    "password=",
    "password = ",
    "Bearer ",
    "a://a:",
    "-----BEGIN PRIVATE KEY-----",
    "AB ",
    "2 ",
    "123-45-",
  ])("%j again and again", { timeout: 60_000 }, (piece) => {
    const text = piece.repeat(size / piece.length);
    expect(() => findSensitive(text, detectorKinds)).not.toThrow();
  });
});
