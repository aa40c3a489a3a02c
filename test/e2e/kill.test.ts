/**
 * Promise 4: what a client saw answered and what an upstream received is in the record after
 * `kill -9` at any moment, and no child is left behind.
 */
import { hash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { freshEnvironment, runBin, serveCommand } from "../support/gateway-process.ts";
import { allowAll, buildLayout } from "../support/policy-layout.ts";
import type { RawClient } from "../support/raw-client.ts";
import { startRawClient } from "../support/raw-client.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { eventually, isAlive } from "../support/eventually.ts";

const calls = 1000;
const inFlight = 64;
let layout = "";

beforeAll(async () => {
  layout = await buildLayout({ fixture: allowAll });
});

test.each([1, 100, 400, 800])(
  "nothing is lost by kill -9 after %i of 1,000 answers",
  async (killAfter) => {
    const folder = temporaryFolder();
    const receivedFile = join(folder, "received.jsonl");
    const pidFile = join(folder, "pid");
    const env = freshEnvironment();
    const config = writeFixtureConfig({
      fixture: {
        mode: "ignore-end",
        policy: `oci-layout:${layout}:fixture`,
        env: { FIXTURE_RECEIVED: receivedFile, FIXTURE_PID_FILE: pidFile },
      },
    });
    const client = await startRawClient(serveCommand(config, env));
    await client.request("tools/list");
    callOn(client);
    while (client.received.length < killAfter + 2) await delay(1);
    client.child.kill("SIGKILL");
    const pid = Number(readFileSync(pidFile, "utf8"));
    await eventually(() => !isAlive(pid));

    const answered = client.received.flatMap(argumentsOf);
    const reached = existsSync(receivedFile)
      ? readFileSync(receivedFile, "utf8").split("\n").flatMap(argumentsOfLine)
      : [];
    expect(answered.length).toBeGreaterThan(0);
    expect(answered.length).toBeLessThan(calls);
    const recorded = await recordedArguments(env);
    expect(answered.filter((args) => !recorded.has(digest(args)))).toEqual([]);
    expect(reached.filter((args) => !recorded.has(digest(args)))).toEqual([]);
    expect(new Set(reached).size).toBe(reached.length);
    expect(recorded.size).toBeLessThanOrEqual(calls);
  },
);

/** So few unanswered at a time that the kill comes before the last call, however late it is. */
function callOn(client: RawClient): void {
  let made = 0;
  const lane = async (): Promise<void> => {
    while (made < calls) await client.call("fixture__echo", { n: (made += 1) });
  };
  for (let at = 0; at < inFlight; at += 1) void lane();
}

/** The fixture answers the text of its arguments. */
function argumentsOf(message: unknown): readonly string[] {
  const text = /"text":"(\{\\"n\\":\d+\})"/.exec(JSON.stringify(message))?.[1];
  return text === undefined ? [] : [text.replaceAll("\\", "")];
}

function argumentsOfLine(line: string): readonly string[] {
  const text = /"arguments":(\{"n":\d+\})/.exec(line)?.[1];
  return text === undefined ? [] : [text];
}

async function recordedArguments(env: Record<string, string>): Promise<ReadonlySet<string>> {
  const { stdout, code, stderr } = await runBin(
    ["decision", "list", "-o", "jsonl", "--limit", "5000"],
    env,
  );
  expect(code, stderr).toBe(0);
  const lines = stdout.split("\n").filter(Boolean);
  return new Set(lines.map((line) => String(Object(JSON.parse(line)).args_sha256)));
}

function digest(args: string): string {
  return `sha256:${hash("sha256", args)}`;
}
