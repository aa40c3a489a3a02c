/**
 * Whole gateways that count calls of one server against one budget: where they keep their counts, how
 * they race, and what reached the server.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { freshEnvironment, root, runBin, serveCommand } from "../support/gateway-process.ts";
import { allowAll, buildLayout } from "../support/policy-layout.ts";
import type { RawClient } from "../support/raw-client.ts";
import { startRawClient } from "../support/raw-client.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** Calls that the budget of these tests allows. */
export const limit = 37;

/** Where the gateways of a world keep their counts. */
export interface CountPlace {
  /** Members of the configuration. */
  readonly config: object;
  readonly env: Readonly<Record<string, string>>;
  /** False: each gateway has a state folder of its own. */
  readonly isOneFolder: boolean;
}

/** A wall clock that is off from the start, and by how much it is off once it is moved. */
export interface ClockSkew {
  readonly skewMs?: number;
  readonly stepMs?: number;
}

export interface BudgetWorld {
  /** Starts one more gateway. */
  readonly open: (clock?: ClockSkew) => Promise<RawClient>;
  /** Calls that the server itself received, of all gateways. */
  readonly reached: () => number;
  /** What `budget list` says is used. */
  readonly used: () => Promise<number>;
}

/** Builds the policy of these tests; returns its reference. */
export async function buildBudgetPolicy(): Promise<string> {
  const counters = { calls: { key: ["user"], window: { sliding: "1h" }, limit } };
  const layout = await buildLayout({ fixture: { ...allowAll, metadata: { counters } } });
  return `oci-layout:${layout}:fixture`;
}

/** A world without gateways. */
export function makeBudgetWorld(policy: string, place: CountPlace): BudgetWorld {
  const receivedFile = join(temporaryFolder(), "received.jsonl");
  const config = writeFixtureConfig(
    { fixture: { policy, env: { FIXTURE_RECEIVED: receivedFile } } },
    place.config,
  );
  const shared = freshEnvironment(place.env);
  const fresh = () => (place.isOneFolder ? shared : freshEnvironment(place.env));
  return {
    open: async (clock) => {
      const client = await startRawClient(serveCommand(config, { ...fresh(), ...skewed(clock) }));
      await client.request("tools/list");
      return client;
    },
    reached: () => {
      if (!existsSync(receivedFile)) return 0;
      const lines = readFileSync(receivedFile, "utf8").split("\n");
      return lines.filter((line) => line.includes('"tools/call"')).length;
    },
    used: async () => {
      const args = ["budget", "list", "--config", config, "-o", "json"];
      const { stdout, stderr } = await runBin(args, fresh());
      const items: readonly unknown[] = Object(JSON.parse(stdout || "{}")).items ?? [];
      if (items.length !== 1) throw new Error(`expected one counter: ${stdout} ${stderr}`);
      return Number(Object(items[0]).used);
    },
  };
}

/** What a client was told about its calls. */
export interface RaceReport {
  readonly admitted: number;
  /** `budget_exhausted`, with nothing left and a time to come back at. */
  readonly exhausted: number;
  /** Answers that are neither. */
  readonly strange: readonly string[];
}

/** So many calls at once. */
export async function race(client: RawClient, calls: number): Promise<RaceReport> {
  const answers = Array.from({ length: calls }, (_, n) => client.call("fixture__echo", { n }));
  return reportOf(await Promise.all(answers));
}

/** Some callers, each with one slow call after the other, until so many were made. */
export async function raceSlowly(client: RawClient, calls: number): Promise<RaceReport> {
  const answers: object[] = [];
  let left = calls;
  const caller = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      answers.push(await client.call("fixture__slow"));
    }
  };
  await Promise.all(Array.from({ length: 4 }, caller));
  return reportOf(answers);
}

/** What several clients were told together. */
export function together(reports: readonly RaceReport[]): RaceReport {
  return {
    admitted: reports.reduce((sum, one) => sum + one.admitted, 0),
    exhausted: reports.reduce((sum, one) => sum + one.exhausted, 0),
    strange: reports.flatMap(({ strange }) => strange),
  };
}

function reportOf(answers: readonly object[]): RaceReport {
  const sorts = answers.map((answer) => ({ sort: sortOf(answer), text: JSON.stringify(answer) }));
  return {
    admitted: sorts.filter(({ sort }) => sort === "admitted").length,
    exhausted: sorts.filter(({ sort }) => sort === "exhausted").length,
    strange: sorts.filter(({ sort }) => sort === "strange").map(({ text }) => text),
  };
}

function sortOf(answer: object): "admitted" | "exhausted" | "strange" {
  const { result } = Object(answer);
  if (result === undefined) return "strange";
  if (result.isError === undefined) return "admitted";
  const { reasons, metadata } = Object(result._meta?.["io.mcp-gateway/decision"]);
  const isExhausted = JSON.stringify(reasons) === '["budget_exhausted"]';
  const { rate_limit_remaining: remaining, rate_limit_resets_at: resetsAt } = Object(metadata);
  const isDated = !Number.isNaN(Date.parse(resetsAt));
  return isExhausted && remaining === 0 && isDated ? "exhausted" : "strange";
}

function skewed({ skewMs = 0, stepMs = 0 }: ClockSkew = {}): Record<string, string> {
  if (skewMs === 0 && stepMs === 0) return {};
  return {
    NODE_OPTIONS: `--require ${join(root, "test/fixtures/skewed-clock.cjs")}`,
    CLOCK_SKEW_MS: String(skewMs),
    CLOCK_STEP_MS: String(stepMs),
  };
}
