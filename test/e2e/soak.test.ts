/**
 * The soak in small: `bench/soak.js` with few clients and little time, and what its judge says of
 * soaks that went wrong. Growth under load is judged by longer runs alone.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { judge } from "../../bench/soak/judge.js";
import { countLines } from "../../bench/soak/log-lines.js";
import { descendantsOf, sampleProcess } from "../../bench/soak/process-sample.js";
import { root } from "../support/gateway-process.ts";

const still = { heapMb: 50, rssMb: 300, fds: 300, threads: 12, children: 20 };
const idle = { heapMb: 20, rssMb: 90, fds: 40, threads: 12, children: 1 };
const well = {
  samples: Array.from({ length: 16 }, () => still),
  baseline: idle,
  after: idle,
  seconds: 600,
  faultCount: 0,
  errorLines: 0,
  exitCode: 0,
};

/** The same samples, with `grown` in the last quarter. */
function growing(grown: Partial<typeof still>) {
  return well.samples.map((sample, index) => (index < 12 ? sample : { ...sample, ...grown }));
}

describe("40 clients of both eras over HTTP", () => {
  test("get their own answers and leave nothing behind", async () => {
    const options = ["--clients", "40", "--minutes", "0.12", "--rate", "100", "--idle", "1"];
    const { code, output } = await run([join(root, "bench", "soak.js"), ...options]);
    expect(output).toContain("nothing grew, nobody got what was not theirs");
    expect(output).toMatch(/\d{2,} subscriptions\/listen\n/);
    expect(output).toMatch(/\d{3,} tools\/call\n/);
    expect(code).toBe(0);
  }, 180_000);
});

describe("the judge of a soak", () => {
  test("finds nothing where nothing grew", () => {
    expect(judge(well).failures).toEqual([]);
    expect(
      judge({ ...well, samples: growing({ heapMb: 55, rssMb: 330, fds: 330 }) }).failures,
    ).toEqual([]);
  });

  test.each([
    ["memory", { samples: growing({ rssMb: 360 }) }, "memory grew by 20.0 %"],
    ["a leak", { samples: growing({ heapMb: 60 }) }, "what lives in memory grew by 20.0 %"],
    ["descriptors", { samples: growing({ fds: 331 }) }, "descriptors grew from 300 to 331"],
    ["processes", { samples: growing({ children: 30 }) }, "processes grew from 20 to 30"],
    ["threads", { samples: growing({ threads: 13 }) }, "threads grew from 12 to 13"],
    ["wrong answers", { faultCount: 1 }, "1 wrong answers or unexpected errors"],
    ["errors in the log", { errorLines: 2 }, "2 errors in the gateway's log"],
    ["a bad end", { exitCode: null }, "the gateway ended with null"],
    [
      "few samples",
      { samples: [still, still, still, still] },
      "expected 8 samples or more, found 4",
    ],
  ])("finds %s", (_, went, failure) => {
    expect(judge({ ...well, ...went }).failures).toEqual([failure]);
  });

  test.each([
    ["a few descriptors", { fds: 43 }],
    ["a process", { children: 2 }],
  ])("finds %s that is left after all clients left", (_, left) => {
    const { failures } = judge({ ...well, after: { ...idle, ...left } });
    expect(failures).toHaveLength(1);
    expect(failures[0]).toContain("after all clients left");
  });

  test("judges neither growth nor memory before there is anything to see", () => {
    const samples = growing({ rssMb: 360, fds: 400 });
    const failuresAfter = (seconds: number) => judge({ ...well, samples, seconds }).failures;
    expect(failuresAfter(60)).toEqual([]);
    expect(failuresAfter(240)).toEqual(["descriptors grew from 300 to 400"]);
    expect(failuresAfter(600)).toHaveLength(2);
  });
});

test("a process is sampled with all that runs below it", async () => {
  const child = spawn("/bin/sh", ["-c", "sleep 60 & echo started; wait"]);
  await new Promise((resolve) => child.stdout.once("data", resolve));
  const [own = 0] = descendantsOf(child.pid ?? 0);
  const before = sampleProcess(process.pid);
  expect(before.children).toBeGreaterThanOrEqual(2);
  expect(before.fds).toBeGreaterThan(3);
  expect(before.rssMb).toBeGreaterThan(10);
  process.kill(own);
  await new Promise((resolve) => child.once("close", resolve));
  expect(sampleProcess(process.pid).children).toBe(before.children - 2);
});

test("a line of the log that is an error, or no log line at all, counts", () => {
  const lines = [
    '{"level":40,"msg":"warned"}',
    '{"level":50,"msg":"broken"}',
    "Segmentation fault",
  ];
  const { errors, byMessage } = countLines(lines.join("\n"));
  expect(errors).toBe(2);
  expect([...byMessage.keys()]).toEqual(["warned", "broken", "Segmentation fault"]);
});

function run(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root });
    const output: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => output.push(chunk));
    }
    child.once("error", reject);
    child.once("close", (code) =>
      resolve({ code, output: Buffer.concat(output).toString("utf8") }),
    );
  });
}
