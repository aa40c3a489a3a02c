/**
 * Decisions as the gateway makes and records them, without a gateway: policies that were really
 * compiled, asked by the engine, combined and encoded.
 */
import { join } from "node:path";
import { openBundle } from "../../src/bundle/open-bundle.ts";
import { newId } from "../../src/config/ambient.ts";
import type { Bundle, LayerKind } from "../../src/contract/bundle.ts";
import type { AdmissionRecord } from "../../src/contract/record.ts";
import { sha256Of } from "../../src/contract/sha256.ts";
import { encodeRecord } from "../../src/decision/encode-record.ts";
import { combine, gatewayDenial } from "../../src/policy/combine.ts";
import { createPolicyEngine } from "../../src/policy/engine/policy-engine.ts";
import { buildCallInput } from "../../src/policy/input/build-input.ts";
import { buildPolicyFolder } from "../../src/rego/build-policy-folder.ts";
import { createRegoToolchain } from "../../src/rego/create-rego-toolchain.ts";
import { replayHistory } from "../../src/replay/replay-history.ts";
import type { ReplayReport } from "../../src/replay/replay-report.ts";
import { writeSources } from "../support/policy-folder.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

export interface PolicyText {
  readonly kind: LayerKind;
  readonly rego: string;
}

/** Compiles policies of package `test.KIND`, so that rules go by the same names in all of a kind. */
export async function compileAll<Name extends string>(
  policies: Readonly<Record<Name, PolicyText>>,
): Promise<ReadonlyMap<string, Bundle>> {
  const folder = temporaryFolder();
  const toolchain = createRegoToolchain();
  const bundles = new Map<string, Bundle>();
  try {
    for (const [name, { kind, rego }] of Object.entries<PolicyText>(policies)) {
      const metadata = { name, layer: kind, policy_package: `test.${kind}` };
      const manifest = JSON.stringify({ revision: name, roots: [`test/${kind}`], metadata });
      const text = `package test.${kind}\n\n${rego}\n`;
      const sources = await writeSources(join(folder, name), {
        ".manifest": manifest,
        "policy.rego": text,
      });
      const { files } = await buildPolicyFolder(toolchain, sources);
      const about = {
        name,
        kind,
        reference: name,
        digest: sha256Of(name),
        origin: "folder",
      } as const;
      const content = new Map([...files].map(([path, bytes]) => [path, Buffer.from(bytes)]));
      bundles.set(name, await openBundle(content, about, undefined));
    }
    return bundles;
  } finally {
    await toolchain.close();
  }
}

export interface Call {
  /** Default `crm`. */
  readonly server?: string;
  readonly tool: string;
  readonly args?: object;
  readonly usage?: Readonly<Record<string, string>>;
  readonly seen?: Readonly<Record<string, readonly string[]>>;
  /** What the gateway refuses after policy. */
  readonly refusedWith?: "arguments_invalid";
  readonly timeMs?: number;
}

export interface AskedLayer {
  readonly name: string;
  readonly kind: LayerKind;
  readonly bundle: Bundle;
}

/** Records of calls, decided by these layers. */
export async function decideAll(
  layers: readonly AskedLayer[],
  calls: readonly Call[],
): Promise<readonly AdmissionRecord[]> {
  const limits = { deadlineMs: 10_000, inputMaxBytes: 1024 * 1024, memoryMaxMb: 64 };
  const engine = createPolicyEngine({ ...limits, spare: false });
  try {
    for (const result of await engine.activate(layers)) if (!result.ok) throw result.error;
    const records: AdmissionRecord[] = [];
    for (const call of calls) records.push(await decide(engine, call));
    return records;
  } finally {
    await engine.close();
  }
}

const agent = {
  id: "bot",
  version: null,
  scope: "support",
  owner_team: null,
  model: null,
  parent: null,
  authenticated: true,
};

async function decide(
  engine: ReturnType<typeof createPolicyEngine>,
  { server = "crm", tool, args = {}, usage, seen = {}, refusedWith, timeMs = Date.now() }: Call,
): Promise<AdmissionRecord> {
  const decisionId = newId();
  const contextOf = (one?: string) => {
    const own = Object.entries(seen).filter(([, from]) => one === undefined || from.includes(one));
    return {
      conversation_id: "c",
      turn_count: 1,
      cumulative_tokens: 1,
      session_age_seconds: 1,
      data_classes_seen: own.map(([name]) => name),
      labels_seen: [],
      data_class_sources: Object.fromEntries(
        own.map(([name, from]) => [name, one === undefined ? from : [one]]),
      ),
      label_sources: {},
      servers_called: one === undefined ? ["crm", "mail"] : [one],
    };
  };
  const input = buildCallInput({
    actor: {
      agent,
      user: { id: "alice", groups: [], data_classifications_authorized: [] },
      environment: { region: "eu", is_production: true },
    },
    client: { name: "test", version: "1" },
    action: {
      type: "tool_call",
      direction: "to_server",
      server,
      about: { tool },
      destination: { region: null, external: false },
    },
    sent: { args: JSON.stringify(args) },
    classification: { dataClasses: [], labels: [] },
    context: contextOf(),
    serverContext: contextOf(server),
    timeMs,
  });
  const parts = { ...input, usage };
  const decided = await engine.decide({ server, parts, timeMs, seed: decisionId });
  const { verdicts, inputJson, ndBuiltinCacheJson, evalMs } = decided;
  const combined = combine({
    decisionId,
    action: { type: "tool_call", server, tool },
    scope: "support",
    verdicts,
    nowMs: timeMs,
    serverCeiling: undefined,
    isApproved: () => false,
    canFulfil: () => true,
  });
  const { answer } = refusedWith === undefined ? combined : gatewayDenial(decisionId, refusedWith);
  return {
    kind: "admission",
    decisionId,
    timeMs,
    tenant: "default",
    agent: agent.id,
    user: "alice",
    server,
    tool,
    exposedName: `${server}__${tool}`,
    actionType: "tool_call",
    protocolVersion: "2025-11-25",
    inputJson,
    ndBuiltinCacheJson,
    argsSha256: sha256Of("{}"),
    answer,
    layers: verdicts,
    waivers: { used: [], expired: [], void: [] },
    dropped: [],
    timings: { policyMs: evalMs, totalMs: evalMs },
    posture: "strict",
  };
}

/** The exact text of a record, as a store has it. */
export function textOf(record: AdmissionRecord): string {
  return encodeRecord(record, { id: "writer", version: "0" }).text;
}

export interface ReplaySetting {
  readonly layer: string;
  readonly candidate: Bundle;
  /** Texts of records; `null`: pruned. */
  readonly texts: readonly (string | null)[];
  readonly baselines?: readonly Bundle[];
  readonly deadlineMs?: number;
}

/** Replays them in two threads. */
export async function replayTexts(setting: ReplaySetting): Promise<ReplayReport> {
  const { layer, candidate, texts, baselines = [], deadlineMs = 10_000 } = setting;
  const page = texts.map((text, place) => ({
    id: String(place).padStart(6, "0"),
    server: "crm",
    tool: "tool",
    record: text,
  }));
  return await replayHistory({
    layer,
    candidate,
    defaultEffect: "deny",
    baselines,
    config: {
      agents: new Map(),
      environment: { region: "eu", is_production: true },
      layers: [],
      maxWaivers: 10,
      notify: [],
      servers: new Map(),
    },
    limits: { deadlineMs, inputMaxBytes: 1024 * 1024, memoryMaxMb: 64 },
    history: (async function* pages() {
      yield page;
    })(),
    threads: 2,
  });
}

/** Groups in one line each. */
export function linesOf({ groups }: ReplayReport): readonly string[] {
  return groups.map(({ bucket, rule, reason, count }) => [bucket, rule, reason, count].join(" "));
}
