import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { describe, expect, test } from "vitest";
import { createLog, logLevels, parseLogLevel } from "../../src/telemetry/log.ts";
import type { LogLevel } from "../../src/telemetry/log.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** One module of plain JavaScript, as Node 20 runs it. */
function compile(contents: string): string {
  const stdin = { contents, resolveDir: root };
  const options = { bundle: true, write: false, format: "esm", packages: "external" } as const;
  return buildSync({ ...options, stdin, platform: "node" }).outputFiles[0]?.text ?? "";
}

function linesAt(level: LogLevel): readonly Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = [];
  const log = createLog({
    level,
    destination: { write: (line) => void lines.push(JSON.parse(line)) },
  });
  log.error({ a: 1 }, "e");
  log.warn({}, "w");
  log.info({}, "i");
  log.debug({}, "d");
  return lines;
}

describe("the log", () => {
  test("a line is one JSON object with level, time, message and the data", () => {
    const [line] = linesAt("error");
    expect(line).toEqual({ level: "error", time: expect.any(String), a: 1, msg: "e" });
    expect(new Date(String(line?.["time"])).toISOString()).toBe(line?.["time"]);
  });

  test.each<[LogLevel, number]>([
    ["silent", 0],
    ["error", 1],
    ["warn", 2],
    ["info", 3],
    ["debug", 4],
  ])("at level %s %i of four lines are written", (level, count) => {
    expect(linesAt(level)).toHaveLength(count);
  });

  test("a child adds its bindings to every line and to its own children's", () => {
    const lines: string[] = [];
    const write = (line: string): void => void lines.push(line);
    const log = createLog({ level: "info", destination: { write } });
    log.child({ server: "crm" }).child({ tool: "x" }).info({ n: 1 }, "call completed");
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ server: "crm", tool: "x", n: 1 });
  });

  test("an error in the data is written with its message and stack", () => {
    const lines: string[] = [];
    const write = (line: string): void => void lines.push(line);
    createLog({ level: "info", destination: { write } }).error({ err: new Error("x") }, "failed");
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ err: { message: "x", type: "Error" } });
  });

  test("levels are read in any case, and an unknown one is none", () => {
    for (const level of logLevels) expect(parseLogLevel(level.toUpperCase())).toBe(level);
    expect(parseLogLevel("verbose")).toBeUndefined();
    expect(parseLogLevel(undefined)).toBeUndefined();
  });

  test("no line is lost when the process is killed right after it, and stdout stays empty", () => {
    const program = `
      import { createLog } from "./src/telemetry/log.ts";
      const log = createLog({ level: "info" });
      for (let i = 0; i < 5000; i += 1) log.info({ i }, "line");
      process.kill(process.pid, "SIGKILL");`;
    const child = spawnSync(process.execPath, ["--input-type=module", "-e", compile(program)], {
      cwd: root,
      encoding: "utf8",
      maxBuffer: 10_000_000,
    });
    expect(child.signal).toBe("SIGKILL");
    expect(child.stdout).toBe("");
    expect(child.stderr.trim().split("\n")).toHaveLength(5000);
  });
});
