import { expect, test } from "vitest";
import { load, minimal, problemsOf, refusal } from "./support.ts";

const to = "https://logs.example/logs";
const exporting = (entry: object) => ({ ...minimal, decisions: { export: entry } });

test("without a word a gateway exports nothing by itself", () => {
  expect(load(minimal).config.decisions.export).toBeUndefined();
});

test("a receiver has its defaults, and keys from outside the file", () => {
  const headers = { authorization: "Bearer ${env:LOGS_TOKEN}" };
  const loaded = load(exporting({ to, headers }), { LOGS_TOKEN: "long-enough-token" });
  expect(loaded.config.decisions.export).toEqual({
    to: { kind: "http", url: to },
    format: "opa",
    headers: { authorization: "Bearer long-enough-token" },
    uploadSizeLimitBytes: 1_048_576,
    bufferSizeLimitBytes: 1_073_741_824,
    minDelayMs: 1000,
    maxDelayMs: 60_000,
  });
  expect(loaded.config.secrets).toContain("long-enough-token");
});

test.each([
  ["stdout", { kind: "stdout" }],
  [
    "file:///var/log/decisions%20of%20a.jsonl",
    { kind: "file", path: "/var/log/decisions of a.jsonl" },
  ],
  ["http://127.0.0.1:8181/logs", { kind: "http", url: "http://127.0.0.1:8181/logs" }],
  ["http://localhost/logs", { kind: "http", url: "http://localhost/logs" }],
])("decisions can be exported to %s", (text, target) => {
  expect(load(exporting({ to: text })).config.decisions.export?.to).toEqual(target);
});

test("delays are what they can be at least, and the longest is no shorter than the first", () => {
  const delays = { min_delay: "1ms", max_delay: "50ms" };
  expect(load(exporting({ to, ...delays })).config.decisions.export).toMatchObject({
    minDelayMs: 100,
    maxDelayMs: 100,
  });
});

test.each([
  "http://logs.example/logs",
  "https://user:secret@logs.example/logs",
  "https://logs.example/logs#part",
  "ftp://logs.example/logs",
  "file:decisions.jsonl",
  "file:///var/log/",
  "file://host/var/log/decisions.jsonl",
  "file:///var/log/decisions.jsonl?a=1",
  "file:///var/log%2Fdecisions.jsonl",
  "stderr",
  "/var/log/decisions.jsonl",
])("a target that is none is refused: %s", (text) => {
  expect(problemsOf(exporting({ to: text }))).toEqual([
    expect.stringContaining('decisions.export.to: expected "stdout", file:///PATH, or https://'),
  ]);
});

test("a key in the file itself is refused, and no word of it is repeated", () => {
  const headers = { authorization: "Bearer hunter2-literal" };
  const { message } = refusal(() => load(exporting({ to, headers })));
  expect(message).toContain("decisions.export.headers.authorization: expected ${env:NAME}");
  expect(message).not.toContain("hunter2-literal");
});

test("a reference anywhere else is refused", () => {
  const [problem] = problemsOf(exporting({ to: "https://${env:HOST}/logs" }), { HOST: "a" });
  expect(problem).toContain("are expanded only in");
  expect(problem).toContain("decisions.export.headers");
});

test.each([
  [{ to: "stdout", headers: { "x-key": "${env:KEY}" } }, "expected none where"],
  [{ to: "file:///a", headers: { "x-key": "${env:KEY}" } }, "expected none where"],
  [{ to, format: "jsonl" }, 'decisions.export.format: expected "opa"'],
  [{ to, format: "csv" }, "decisions.export.format"],
  [{ to, upload_size_limit_bytes: 10 }, "upload_size_limit_bytes"],
  [{ to, min_delay: 5 }, "min_delay"],
  [{ to, service: "logs" }, "service"],
  [{}, "to"],
])("%j is refused", (entry, message) => {
  expect(problemsOf(exporting(entry), { KEY: "k" }).join("\n")).toContain(message);
});
