/**
 * `approval watch`, in a process of its own until it is interrupted.
 */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { newId, systemClock } from "../../src/config/ambient.ts";
import { openApprovals } from "../../src/policy/approvals/open-approvals.ts";
import { load, minimal } from "../config/support.ts";
import { ann, keptSecret, subject } from "../policy/approvals/subjects.ts";
import { eventually } from "../support/eventually.ts";
import { bin } from "../support/gateway-process.ts";
import { createTestLog } from "../support/log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

test("approval watch prints each request once when it comes, whole, until it is interrupted", async () => {
  const folder = temporaryFolder();
  const stateDir = join(folder, "state");
  const path = join(folder, "mcp-gateway.config.json");
  writeFileSync(path, JSON.stringify(minimal), { mode: 0o600 });
  const approvals = openApprovals({
    config: load(minimal).config,
    stateDir,
    decisionLog: { note: async () => {} },
    clock: systemClock,
    newId,
    ...keptSecret,
    log: createTestLog(),
    fetch: undefined,
  });
  onTestFinished(() => approvals.close());
  const ask = async (args: object): Promise<string> => {
    const opened = await approvals.request(subject(args));
    return opened.kind === "opened" ? opened.approval.id : opened.kind;
  };
  const first = await ask({ id: "C-17", note: "a\u202Eb" });
  const decided = await ask({ id: "C-18" });
  await approvals.rule(decided, ann);

  const args = [bin, "approval", "watch", "-o", "jsonl", "-c", path];
  const env = { PATH: process.env["PATH"], HOME: folder, MCP_GATEWAY_STATE: stateDir };
  const watching = spawn(process.execPath, args, { env, cwd: folder });
  onTestFinished(() => void watching.kill("SIGKILL"));
  let out = "";
  let err = "";
  watching.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  watching.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  const shown = (): readonly { id: string; arguments: string }[] =>
    out
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  await eventually(() => out.includes(first));
  const second = await ask({ id: "C-19" });
  await eventually(() => out.includes(second));
  await approvals.rule(first, ann);
  const third = await ask({ id: "C-20" });
  await eventually(() => out.includes(third));
  expect(shown().map(({ id }) => id)).toEqual([first, second, third]);
  expect(shown()[0]?.arguments).toBe('{"id":"C-17","note":"a\\u202eb"}');
  const ended = new Promise((resolve) => watching.once("exit", (_code, signal) => resolve(signal)));
  watching.kill("SIGINT");
  expect([await ended, err]).toEqual(["SIGINT", ""]);
}, 120_000);
