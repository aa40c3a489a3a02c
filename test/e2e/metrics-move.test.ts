/**
 * Every metric of a running gateway moves when that happens which it is there for: a real server dies,
 * a real policy runs away, a real Postgres refuses and stops. The table has a row for each metric, and
 * the last test says so.
 */
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { runBin } from "../support/gateway-process.ts";
import { startTestPostgres } from "../support/postgres.ts";
import type { ReadFamily } from "../support/prometheus-text.ts";
import { readPrometheusText } from "../support/prometheus-text.ts";
import type { World } from "./metrics-world.ts";
import { openWorld, spoolMaxBytes } from "./metrics-world.ts";

const postgres = await startTestPostgres();

let opened: World | undefined;

const world = (): World => {
  if (opened === undefined) throw new Error("no gateway");
  return opened;
};

beforeAll(async () => {
  if (postgres?.canStop === true) opened = await openWorld(await postgres.createDatabase());
}, 90_000);

afterAll(async () => {
  opened?.client.child.kill("SIGKILL");
  await postgres?.close();
});

type Families = ReadonlyMap<string, ReadFamily>;
type Labels = Readonly<Record<string, string>>;
/** A metric, of a histogram with `_count`, and which of its series. */
type Row = readonly [name: string, labels?: Labels];

interface Cause {
  readonly what: string;
  readonly happens: () => Promise<void>;
  readonly moves: readonly Row[];
}

async function read(): Promise<Families> {
  const response = await fetch(world().metrics).catch(() => undefined);
  return response?.ok === true ? readPrometheusText(await response.text()) : new Map();
}

function valueOf(families: Families, [metric, labels = {}]: Row): number {
  const name = `mcp_gateway_${metric}`;
  return [...families.values()]
    .flatMap(({ samples }) => samples)
    .filter((one) => one.name === name)
    .filter((one) => Object.entries(labels).every(([key, value]) => one.labels[key] === value))
    .reduce((sum, { value }) => sum + value, 0);
}

const call = async (name: string, args: object = {}): Promise<string> =>
  JSON.stringify(await world().client.call(name, args));

/** Does not wait for an answer that does not come. */
const ask = async (name: string): Promise<void> => void world().client.call(name);

const causes: readonly Cause[] = [
  {
    what: "it has started, and one of its policies is not to be had",
    happens: () => eventually(async () => (await read()).size > 0),
    moves: [
      ["bundle_events_total", { source: "ok", event: "activated" }],
      ["bundle_age_seconds", { source: "ok" }],
      ["bundle_last_activation_timestamp_seconds", { source: "ok" }],
      ["bundle_last_success_timestamp_seconds", { source: "ok" }],
      ["bundle_failures_total", { source: "gone" }],
      ["bundle_failing", { source: "gone" }],
      ["upstream_state", { server: "ok", state: "up" }],
      ["upstream_connections", { server: "ok" }],
      ["spool_committed_records_total"],
      ["process_resident_memory_bytes"],
      ["process_heap_bytes"],
      ["process_cpu_seconds_total"],
      ["process_start_time_seconds"],
      ["event_loop_lag_seconds", { quantile: "1" }],
    ],
  },
  {
    what: "calls are allowed and denied",
    happens: async () => {
      expect(await call("ok__echo")).not.toContain("isError");
      expect(await call("ok__environment")).toContain("no_environment");
    },
    moves: [
      ["decisions_total", { server: "ok", tool: "echo", effect: "allow" }],
      ["decisions_total", { server: "ok", tool: "environment", effect: "deny" }],
      ["denial_reasons_total", { code: "no_environment" }],
      ["matched_rules_total", { rule: "test.ok.deny" }],
      ["decision_duration_seconds_count", { phase: "policy" }],
      ["decision_duration_seconds_count", { phase: "decide" }],
      ["decision_duration_seconds_count", { phase: "record" }],
      ["decision_duration_seconds_sum", { phase: "record" }],
      ["layer_duration_seconds_count", { layer: "ok" }],
      ["call_duration_seconds_count", { outcome: "completed" }],
    ],
  },
  {
    what: "a server does not answer, and may be asked one thing at a time",
    happens: async () => {
      await ask("busy__never");
      await ask("busy__never");
    },
    moves: [
      ["requests_in_flight"],
      ["upstream_requests_in_flight", { server: "busy" }],
      ["upstream_requests_queued", { server: "busy" }],
    ],
  },
  {
    what: "a server dies and is called again",
    happens: async () => {
      expect(await call("dies__die")).toContain("upstream_lost");
      await call("dies__echo");
    },
    moves: [["upstream_restarts_total", { server: "dies" }]],
  },
  {
    what: "a policy runs away and is ended by its deadline",
    happens: async () => expect(await call("ok__progress")).toContain("policy_timeout"),
    moves: [
      ["policy_worker_restarts_total"],
      ["layer_failures_total", { layer: "loops", code: "policy_timeout" }],
    ],
  },
  {
    what: "a policy fails that is only observed",
    happens: async () => expect(await call("ok__numbers")).toContain("policy_error"),
    moves: [["layer_failures_total", { layer: "loops", code: "policy_error" }]],
  },
  {
    what: "a call waits for people",
    happens: async () => await ask("held__echo"),
    moves: [["approvals_waiting"], ["approvals_oldest_wait_seconds"]],
  },
  {
    what: "somebody is stopped",
    happens: async () => {
      const { config, env } = world();
      const blocked = await runBin(["block", "agent", "another", "--config", config], env);
      expect(blocked).toMatchObject({ code: 0 });
    },
    moves: [["blocks_active"]],
  },
  {
    what: "the collector is away",
    happens: async () => void (await call("ok__echo")),
    moves: [
      ["otlp_failures_total", { signal: "metrics" }],
      ["otlp_failures_total", { signal: "traces" }],
      ["otlp_dropped_spans_total"],
    ],
  },
  {
    what: "the store refuses a record",
    happens: async () => {
      const database = new Client({ connectionString: world().url });
      await database.connect();
      await database.query(
        "ALTER TABLE mcp_gateway.decision ADD CHECK (tool <> 'tool_error') NOT VALID",
      );
      await database.end();
      await call("ok__tool_error");
    },
    moves: [["spool_dead_letters"]],
  },
  {
    what: "the store is away",
    happens: async () => {
      await postgres?.stop();
      await call("ok__echo");
    },
    moves: [
      ["spool_unshipped_records"],
      ["spool_unshipped_bytes"],
      ["shipping_lag_seconds"],
      ["spool_failing"],
    ],
  },
  {
    what: "the spool is full and calls go on all the same",
    happens: async () => {
      const note = "x".repeat(spoolMaxBytes / 8);
      for (let made = 0; made < 12; made += 1) {
        expect(await call("ok__echo", { note })).not.toContain("isError");
      }
    },
    moves: [["fail_open_total", { path: "unrecorded" }]],
  },
];

/** Shown to move in lost-records.test.ts, where nobody has to make ten thousand calls for it. */
const shownApart: readonly string[] = ["spool_lost_records_total"];

describe.runIf(postgres?.canStop)("metrics of a running gateway", { timeout: 120_000 }, () => {
  for (const { what, happens, moves } of causes) {
    describe(`when ${what}`, () => {
      let before: Families = new Map();
      beforeAll(async () => {
        before = opened === undefined ? before : await read();
        if (what === causes[0]?.what) before = new Map();
        await happens();
      }, 60_000);

      test.each(moves.map((row) => [row[0], row[1] ?? {}] as const))(
        "%s of %j rises",
        async (name, labels) => {
          const row: Row = [name, labels];
          const old = valueOf(before, row);
          let found = old;
          await eventually(async () => (found = valueOf(await read(), row)) > old);
          expect(found).toBeGreaterThan(old);
        },
      );
    });
  }

  test("say that nothing went on that a layer failed on", async () => {
    const paths = (await read()).get("mcp_gateway_fail_open_total")?.samples ?? [];
    const failed = paths.find(({ labels }) => labels["path"] === "layer_failed");
    expect(failed?.value).toBe(0);
  });

  test("have a row for each here, or are shown by the export's own tests", async () => {
    const rows = causes.flatMap(({ moves }) => moves.map(([name]) => name));
    const shown = new Set([
      ...rows.map((name) => name.replace(/_(?:count|sum)$/, "")),
      ...shownApart,
    ]);
    const names = [...(await read()).keys()].map((name) => name.replace("mcp_gateway_", ""));
    expect(names.length).toBeGreaterThan(35);
    expect(names.filter((name) => !shown.has(name) && !name.startsWith("export_"))).toEqual([]);
    expect([...shown].filter((name) => !names.includes(name))).toEqual([]);
  });
});
