import { describe, expect, test } from "vitest";
import { load, minimal, problemsOf, refusal } from "./support.ts";

const otlp = { endpoint: "https://otel.example.com/" };

test("without a word nobody listens and nothing is sent", () => {
  const { metrics, otlp: target } = load(minimal).config;
  expect([metrics.listen, target]).toEqual([undefined, undefined]);
});

test.each([
  ["127.0.0.1:9464", { host: "127.0.0.1", port: 9464 }],
  ["0.0.0.0:9464", { host: "0.0.0.0", port: 9464 }],
  ["[::]:0", { host: "::", port: 0 }],
  ["localhost:1", { host: "localhost", port: 1 }],
])("metrics can be read at %s", (listen, address) => {
  expect(load({ ...minimal, metrics: { listen } }).config.metrics.listen).toEqual(address);
});

test.each(["9464", ":9464", "127.0.0.1", "127.0.0.1:99999", "http://127.0.0.1:9464"])(
  "an address that is none is refused: %s",
  (listen) => {
    expect(problemsOf({ ...minimal, metrics: { listen } })).toEqual([
      expect.stringContaining("metrics.listen: expected HOST:PORT"),
    ]);
  },
);

test("a collector has its defaults, and keys from outside the file", () => {
  const headers = { authorization: "Bearer ${env:OTEL_KEY}" };
  const told = { ...minimal, telemetry: { otlp: { ...otlp, headers } } };
  expect(load(told, { OTEL_KEY: "k" }).config.otlp).toEqual({
    endpoint: "https://otel.example.com",
    headers: { authorization: "Bearer k" },
    intervalMs: 15_000,
    sampleRatio: 1,
  });
});

describe("is refused:", () => {
  const problems = (more: object) =>
    problemsOf({ ...minimal, telemetry: { otlp: { ...otlp, ...more } } }, { OTEL_KEY: "k" });

  test("a key in the file itself, and no word of it is repeated", () => {
    const telemetry = { otlp: { ...otlp, headers: { "x-key": "hunter2-literal" } } };
    const { message } = refusal(() => load({ ...minimal, telemetry }));
    expect(message).toContain("telemetry.otlp.headers.x-key: expected ${env:NAME}");
    expect(message).not.toContain("hunter2-literal");
  });

  test("a key over http to somewhere else", () => {
    const headers = { "x-key": "${env:OTEL_KEY}" };
    const [problem] = problems({ endpoint: "http://otel.example.com", headers });
    expect(problem).toContain("expected an https:// URL beside telemetry.otlp.headers");
    expect(() =>
      load({ ...minimal, telemetry: { otlp: { endpoint: "http://otel:4318" } } }),
    ).not.toThrow();
  });

  test.each([
    "grpc://otel.example.com",
    "otel.example.com:4317",
    "https://user:pass@otel.example.com",
    "https://otel.example.com/?key=1",
  ])("an endpoint that is none, %s", (endpoint) => {
    expect(problems({ endpoint })[0]).toContain(
      "expected an http:// or https:// URL without login",
    );
  });

  test.each([-1, 2, "half"])("a share of %j", (sample_ratio) => {
    expect(problems({ sample_ratio })).toHaveLength(1);
  });
});
