/**
 * A whole gateway for tests: real policies in a real engine, real catalogue, pins and conversations
 * on a real disk; only the servers, the decision log and the clock are the test's.
 */
import { afterEach } from "vitest";
import { newId, systemClock } from "../../src/config/ambient.ts";
import type { JsonObject } from "../../src/contract/json.ts";
import type { Principal } from "../../src/contract/principal.ts";
import { principalOf } from "../../src/contract/principal.ts";
import type { AdmissionRecord, NotedRecord, OutcomeRecord } from "../../src/contract/record.ts";
import { BlockWatch } from "../../src/gateway/blocks/block-watch.ts";
import type { Blocks } from "../../src/gateway/blocks/blocks.ts";
import { openBlockSources } from "../../src/gateway/blocks/open-block-stores.ts";
import { createGateway } from "../../src/gateway/create-gateway.ts";
import type { GatewayDeps, MovableGateway } from "../../src/gateway/create-gateway.ts";
import { keepApprovals } from "../../src/gateway/keep-approvals.ts";
import { keyedDigest, sealKey } from "../../src/gateway/seal.ts";
import type { KeptApprovals } from "../../src/gateway/keep-approvals.ts";
import type {
  ActionReply,
  ActionRequest,
  Client,
  ClientNotice,
  Gateway,
  Subject,
} from "../../src/gateway/gateway.ts";
import type { PolicyHands } from "../../src/gateway/policies/start-keeper.ts";
import { load } from "../config/support.ts";
import { testEngine } from "../policy/engine/policies.ts";
import { createTestLog } from "../support/log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import type { FakeServer, FakeServerSettings } from "./fake-server.ts";
import { createFakeServer } from "./fake-server.ts";
import type { TestPolicies } from "./test-policies.ts";

export interface OpenOptions {
  readonly servers: Readonly<Record<string, FakeServerSettings>>;
  readonly policies: TestPolicies;
  /** Default: a fresh one; the same for a second gateway after the first. */
  readonly stateDir?: string;
  readonly deps?: Partial<GatewayDeps>;
  /** Further members of the configuration. */
  readonly settings?: object;
}

export interface OpenGateway {
  readonly gateway: MovableGateway;
  readonly servers: Readonly<Record<string, FakeServer>>;
  readonly admissions: AdmissionRecord[];
  readonly outcomes: OutcomeRecord[];
  readonly notes: NotedRecord[];
  readonly approvals: KeptApprovals;
  readonly blocks: Blocks;
  /** By layer, what its keeper can do. */
  readonly places: ReadonlyMap<string, PolicyHands>;
  /** `admit`, `sent METHOD` and `settle OUTCOME`, in the order they happened. */
  readonly events: string[];
  readonly stateDir: string;
  readonly log: ReturnType<typeof createTestLog>;
  /** What the decision log does before an admission is durable; may be changed. */
  readonly disk: { admit: () => Promise<void> };
  /** Time that has passed beside the real one. */
  readonly time: { skewMs: number };
  readonly act: (subject: Subject, more?: Partial<ActionRequest>) => Promise<ActionReply>;
  readonly call: (name: string, more?: Partial<ActionRequest>) => Promise<ActionReply>;
}

const open = new Set<Gateway>();

afterEach(async () => {
  const all = [...open];
  open.clear();
  await Promise.all(all.map((gateway) => gateway.close()));
});

/** The principal of these ids; `more` is what a token may say besides. */
export function principal(user: string, more: Partial<Principal> = {}): Principal {
  const agent = {
    id: "bot",
    version: null,
    scope: "test",
    owner_team: null,
    model: null,
    parent: null,
  };
  return principalOf({
    tenant: "default",
    agent: { ...agent, authenticated: true },
    user: { id: user, groups: [], data_classifications_authorized: [] },
    servers: undefined,
    ...more,
  });
}

export const alice = principal("alice");

export function legacyClient(more: Partial<Client> = {}): Client {
  return {
    principal: alice,
    session: "s1",
    era: "legacy",
    protocolVersion: "2025-11-25",
    claim: { name: "legacy", version: "1" },
    capabilities: {},
    ...more,
  };
}

export function modernClient(more: Partial<Client> = {}): Client {
  return {
    ...legacyClient(),
    session: undefined,
    era: "modern",
    protocolVersion: "2026-07-28",
    claim: { name: "modern", version: "2" },
    ...more,
  };
}

/** A whole request of this client for this subject. */
export function requestOf(subject: Subject, more: Partial<ActionRequest> = {}): ActionRequest {
  return {
    client: legacyClient(),
    subject,
    inputResponsesJson: undefined,
    requestState: undefined,
    taskJson: undefined,
    logLevel: undefined,
    traceparent: undefined,
    dropped: [],
    onProgress: undefined,
    onNotification: () => {},
    ask: undefined,
    signal: new AbortController().signal,
    ...more,
  };
}

/** Opens a gateway; it is closed after the test. */
export function openGateway({ servers, policies, ...options }: OpenOptions): OpenGateway {
  const { stateDir = temporaryFolder(), deps = {}, settings = {} } = options;
  const events: string[] = [];
  const admissions: AdmissionRecord[] = [];
  const outcomes: OutcomeRecord[] = [];
  const notes: NotedRecord[] = [];
  const places = new Map<string, PolicyHands>();
  const disk = { admit: async (): Promise<void> => {} };
  const time = { skewMs: 0 };
  const log = createTestLog();
  const fakes = Object.fromEntries(
    Object.entries(servers).map(([id, settings]) => [
      id,
      createFakeServer(settings, ({ method }) => events.push(`sent ${method}`)),
    ]),
  );
  const clock = {
    nowMs: () => systemClock.nowMs() + time.skewMs,
    monotonicMs: () => systemClock.monotonicMs() + time.skewMs,
  };
  const config = configOf(servers, settings);
  const { tenant } = config;
  const blocks =
    deps.blocks ??
    new BlockWatch({
      sources: openBlockSources({ stateDir, tenant, clock, store: config.decisions.store }),
      note: async (record) => void notes.push(record),
      scrub: String,
      agents: (deps.config ?? config).agents,
      mayStart: Promise.resolve(),
      tenant,
      clock,
      newId,
      log,
    });
  const note = async (record: NotedRecord): Promise<void> => void notes.push(record);
  const approvals =
    deps.approvals ??
    keepApprovals({
      config,
      stateDir,
      decisionLog: { note },
      clock,
      newId,
      log,
      fetch,
      scrub: String,
      keyed: keyedDigest(() => sealKey(config.stateKey, stateDir)),
    });
  const gateway = createGateway({
    config,
    clock,
    blocks,
    approvals,
    newId,
    random: () => 0,
    log,
    stateDir,
    engine: testEngine(),
    decisionLog: {
      admit: async (record) => {
        await disk.admit();
        admissions.push(record);
        events.push("admit");
      },
      settle: (record) => {
        outcomes.push(record);
        events.push(`settle ${record.outcome}`);
      },
      note,
      close: async () => {},
    },
    openKeeper: async (place, hands) => {
      places.set(place.name, hands);
      const { name, kind } = place;
      return {
        start: async () => {
          await hands.activate(kind === "server" ? policies.server(name) : policies.identity);
        },
        close: async () => {},
      };
    },
    connect: async (server, wanted) => {
      const fake = fakes[server.id];
      if (fake === undefined) throw new Error("expected a server of the test");
      return await fake.connect(server, wanted);
    },
    mayStart: Promise.resolve(),
    onlySession: undefined,
    ...deps,
  });
  open.add(gateway);
  const act: OpenGateway["act"] = (subject, more) => gateway.act(requestOf(subject, more));
  const call: OpenGateway["call"] = (name, more) =>
    act({ type: "tool_call", name, argumentsJson: "{}" }, more);
  const kept = {
    admissions,
    outcomes,
    notes,
    places,
    blocks,
    approvals,
    events,
    stateDir,
    log,
    disk,
    time,
  };
  return { gateway, servers: fakes, ...kept, act, call };
}

function configOf(servers: OpenOptions["servers"], settings: object) {
  const entries = Object.entries(servers).map(([id, { config = {} }]) => [
    id,
    { command: "none", cwd: "/", policy: `oci-layout:none:${id}`, ...config },
  ]);
  return load({
    ...settings,
    agent: { id: "bot", scope: "test" },
    user: { id: "alice" },
    servers: Object.fromEntries(entries),
    layers: [{ name: "identity", kind: "identity", policy: "oci-layout:none:identity" }],
  }).config;
}

/** The result's JSON, with what kind of reply it is. */
export function readReply(reply: ActionReply): JsonObject {
  if (reply.kind !== "result") return JSON.parse(JSON.stringify(reply));
  return { kind: "result", ...JSON.parse(reply.bytes.toString()) };
}

/** The `requestState` of a reply that wants input. */
export function stateOf(reply: ActionReply): string {
  const { requestState } = readReply(reply);
  if (typeof requestState !== "string") throw new Error("expected a reply with a state");
  return requestState;
}

/** A place for notifications. */
export function collect(): {
  readonly heard: ClientNotice[];
  readonly hear: (n: ClientNotice) => void;
} {
  const heard: ClientNotice[] = [];
  return { heard, hear: (notice) => void heard.push(notice) };
}
