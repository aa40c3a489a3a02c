/**
 * Processes that race for one counter, and what they have in common.
 */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { CounterDeclaration } from "../../../src/contract/counter.ts";
import { counterKey } from "../../../src/policy/usage/counter-key.ts";
import type { UsageStoreOptions } from "../../../src/policy/usage/open-usage-store.ts";
import { slotsOf } from "../../../src/policy/usage/slots.ts";
import type { Charge } from "../../../src/policy/usage/usage-store.ts";
import { toMillionths } from "../../../src/policy/usage/usage-store.ts";

const program = fileURLToPath(new URL("racer.js", import.meta.url));

/** Starts a process with another clock. */
const clockTool = "faketime";

/** True where it is installed. */
export const hasFaketime = spawnSync(clockTool, ["--version"]).status === 0;

/** Where counters are kept, without the clock that a process has of its own. */
export type Place = Omit<UsageStoreOptions, "clock">;

export interface Racer {
  /** So many calls were admitted as far as it said. */
  readonly admitted: () => number;
  readonly go: () => void;
  /** Resolves when it has made its calls, or has ended otherwise. */
  readonly ended: Promise<void>;
  /** Resolves when it has said so many times that it was admitted. */
  readonly saidAdmitted: (count: number) => Promise<void>;
  readonly kill: () => void;
}

export interface RaceOptions {
  readonly place: Place;
  readonly charge: Charge;
  readonly calls: number;
  readonly atOnce: boolean;
  /** Moves the clock of the process, `+2h`. */
  readonly clock?: string;
}

/** Starts a process; resolves when it waits for `go`. */
export async function startRacer(options: RaceOptions): Promise<Racer> {
  const { place, charge, calls, atOnce, clock } = options;
  const request = JSON.stringify({ store: place, charge, calls, atOnce });
  const command = [process.execPath, program, request];
  const [file = "", ...rest] = clock === undefined ? command : [clockTool, "-f", clock, ...command];
  const child = spawn(file, rest, { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines = linesOf(child);
  await lines.until(() => lines.heard.includes("ready"));
  const admitted = (): number => lines.heard.filter((line) => line === "a").length;
  return {
    admitted,
    go: () => void child.stdin.write("go\n"),
    ended: lines.until(() => lines.heard.includes("end")),
    saidAdmitted: (count) => lines.until(() => admitted() >= count),
    kill: () => void child.kill("SIGKILL"),
  };
}

function linesOf(child: ChildProcessByStdio<Writable, Readable, null>) {
  const heard: string[] = [];
  const waiting = new Set<() => void>();
  let rest = "";
  let isOver = false;
  child.stdin.on("error", () => {});
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const parts = `${rest}${text}`.split("\n");
    rest = parts.pop() ?? "";
    heard.push(...parts);
    for (const look of waiting) look();
  });
  child.on("close", () => {
    isOver = true;
    for (const look of waiting) look();
  });
  const until = (isSo: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!isOver && !isSo()) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return { heard, until };
}

/** A charge of one against a counter of the tests. */
export function chargeOf(
  part: Partial<CounterDeclaration> = {},
  more: { readonly amount?: number; readonly user?: string } = {},
): Charge {
  const declaration: CounterDeclaration = {
    name: "calls",
    key: ["user"],
    window: { type: "none" },
    limit: 10,
    cost: { type: "calls" },
    tools: undefined,
    actions: ["tool_call"],
    ...part,
  };
  const { user = "alice", amount = 1 } = more;
  const values = { tenant: "default", user, agent: "bot", server: "crm", tool: "get" };
  return {
    key: counterKey("crm", declaration, { ...values, conversation: "c1", args: "" }),
    amount: toMillionths(amount),
    limit: toMillionths(declaration.limit),
    slots: slotsOf(declaration),
    isAttempt: declaration.cost.type === "attempts",
  };
}
