/**
 * Puts the stages together: upstream servers, policy engine, conversations, decision log. What
 * touches the outside is handed in; this file decides only who meets whom.
 */
import type { GatewayConfig } from "../config/config.ts";
import type { Clock, Log, NewId } from "../contract/ambient.ts";
import { isInScope, principalOf } from "../contract/principal.ts";
import type { DecisionLog } from "../contract/record.ts";
import { mergeGreetings } from "../mcp/catalog/merge-greetings.ts";
import type { PolicyEngine } from "../policy/engine/policy-engine.ts";
import { createPolicyEngine } from "../policy/engine/policy-engine.ts";
import { openUsageStore, usageStoreOptions } from "../policy/usage/open-usage-store.ts";
import type { UsageStore } from "../policy/usage/usage-store.ts";
import { act } from "./act.ts";
import { Flights } from "./action/flights.ts";
import { HeldCalls } from "./action/held-calls.ts";
import { refuseMalformed } from "./action/refuse.ts";
import { TaskMemory } from "./action/tasks.ts";
import type { Blocks } from "./blocks/blocks.ts";
import type { Canaries } from "./canaries/canaries.ts";
import { quietCanaries } from "./canaries/canaries.ts";
import { runCanaries } from "./canaries/run-canaries.ts";
import type { CanaryAborts } from "./canaries/running-canary.ts";
import { ClientEars } from "./client-ears.ts";
import { Conversations } from "./conversations.ts";
import { enforceBlocks } from "./enforce-blocks.ts";
import type { Connect } from "./fleet/fleet-server-deps.ts";
import { ListingStore } from "./fleet/listing-store.ts";
import { LogLevels } from "./fleet/log-levels.ts";
import { ServerFleet } from "./fleet/server-fleet.ts";
import { Subscriptions } from "./fleet/subscriptions.ts";
import type { UpstreamStanding } from "./fleet/upstream-standing.ts";
import type { Client, Gateway, Greeting } from "./gateway.ts";
import { Webhooks } from "../policy/approvals/webhooks.ts";
import type { KeptApprovals } from "./keep-approvals.ts";
import { hearUpstream, presentTaskNotice } from "./hear-upstream.ts";
import { listItems } from "./list-items.ts";
import { listTasks } from "./list-tasks.ts";
import { listenTo } from "./listen-to.ts";
import { parameterHeaders } from "./parameter-headers.ts";
import { moveServers } from "./move-servers.ts";
import type { ServerChange } from "./move-servers.ts";
import type { GatewayParts } from "./parts.ts";
import type { OpenKeeper } from "./policies/start-keeper.ts";
import { keepPolicies } from "./policies/keep-policies.ts";
import { policyStanding } from "./policies/policy-standing.ts";
import { keyedDigest, Seal, sealKey } from "./seal.ts";
import { cleanGreeting } from "./texts/clean-greeting.ts";
import { keepShadows } from "./shadow/keep-shadows.ts";
import type { ShadowStanding } from "./shadow/shadow-counts.ts";
import { Usage } from "./usage/usage.ts";
import { Visibility } from "./visibility.ts";

export interface GatewayDeps {
  readonly config: GatewayConfig;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
  /** In [0, 1). */
  readonly random: () => number;
  /** Folder of this user's state: conversations, pins, lists, the key of seals. */
  readonly stateDir: string;
  readonly engine: PolicyEngine;
  readonly decisionLog: DecisionLog;
  /** What an operator has stopped; closed with the gateway. */
  readonly blocks: Blocks;
  /** What people agree to; closed with the gateway. */
  readonly approvals: KeptApprovals;
  /** For what is sent to channels; default: that of the runtime. */
  readonly fetch?: typeof globalThis.fetch;
  /** Opens the store of counters; the one that the configuration means by default. */
  readonly openUsageStore?: () => Promise<UsageStore>;
  /** Where it is kept which canaries are out; default: in this process alone. */
  readonly canaryAborts?: CanaryAborts;
  /** Opens the keeper of one layer's bundle. */
  readonly openKeeper: OpenKeeper;
  readonly connect: Connect;
  /** Resolves when servers and policies may start; a front first answers its client's greeting. */
  readonly mayStart: Promise<void>;
  /** The one session of a front that has only one, so that its servers are started once. */
  readonly onlySession: string | undefined;
}

/** A gateway whose servers can be moved to other releases. */
export interface MovableGateway extends Gateway {
  /** Resolves when they are what they have to be now, as far as that can be; never rejects. */
  readonly move: (change: ServerChange) => Promise<void>;
  /** How the shadows do, since their bundles came. */
  readonly shadows: () => readonly ShadowStanding[];
  /** How the connections to its servers do. */
  readonly upstreams: () => readonly UpstreamStanding[];
}

/** Returns at once; servers and policies start side by side, and requests wait for what they need. */
export function createGateway({ config, ...rest }: GatewayDeps): MovableGateway {
  const servers = new Map(config.servers);
  const deps = { ...rest, config: { ...config, servers } };
  const parts = assemble(deps);
  const { fleet, subscriptions, logLevels } = parts;
  const recalled = fleet.recall();
  fleet.start(Promise.all([recalled, deps.mayStart]).then(() => undefined));
  fleet.onChange((change) => {
    const { connection } = change;
    parts.ears.tellChange(change, connection && deps.config.servers.get(connection.server));
  });
  deps.blocks.onChange(() => enforceBlocks(parts));
  return {
    recalled,
    ready: Promise.all([parts.policiesReady, deps.mayStart.then(() => fleet.settled())]).then(
      () => undefined,
    ),
    policyStanding: () =>
      deps.blocks.isKnown() ? policyStanding(deps.config, parts.policies.layers()) : "unable",
    greet: (client) => greet(parts, client),
    list: (client, kind) => listItems(parts, client, kind),
    act: (request) => act(parts, request),
    setLogLevel: (client, level) => logLevels.set(client, level, fleet),
    rootsChanged: (client) => tellRootsChanged(parts, client),
    unsubscribe: async (client, uri) => {
      const found = fleet.routeUri(uri, client);
      const server = found && deps.config.servers.get(found.server);
      if (server !== undefined) await subscriptions.remove(client, server, found?.uri ?? uri);
    },
    listTasks: (client) => listTasks(parts, client),
    listen: (client, ear) => listenTo(parts, client, ear),
    awaitChanges: (client) => awaitChanges(parts, client),
    parameterHeaders: (client, name) => parameterHeaders(parts, client, name),
    refuseMalformed: (client, method) => refuseMalformed(parts, client, method),
    forget: (client) => {
      subscriptions.forget(client);
      logLevels.forget(client);
      fleet.forget(client);
    },
    move: (change) => moveServers(parts, change, (server) => servers.set(server.id, server)),
    shadows: () => parts.shadows.standings(),
    upstreams: () => fleet.standings,
    close: () => closeParts(parts),
  };
}

function assemble(deps: GatewayDeps): GatewayParts {
  const { config, log, stateDir, newId, onlySession } = deps;
  const { tenant, agent, user } = config;
  const principal = principalOf({ tenant, agent, user, servers: undefined });
  const onChange = (): void => policiesChanged(parts, isNews);
  const key = (): Buffer => sealKey(config.stateKey, stateDir);
  const kept = keepAllPolicies(deps, key, onChange);
  const { policies, canaries } = kept;
  let isNews = false;
  void policies.ready.then(() => {
    isNews = true;
  });
  const parts: GatewayParts = {
    ...deps,
    fleet: new ServerFleet(
      {
        ...deps,
        servers: [...config.servers.values()],
        store: new ListingStore(deps),
        own: { principal, session: onlySession, capabilities: {} },
      },
      hearUpstream(() => parts),
    ),
    ...kept,
    policiesReady: Promise.all([policies.ready, deps.blocks.ready, canaries.ready]).then(
      () => undefined,
    ),
    usage: new Usage({
      config,
      open: deps.openUsageStore ?? (() => openUsageStore(usageStoreOptions(deps))),
      layers: policies.layers,
      clock: deps.clock,
      log,
      keyed: keyedDigest(key),
    }),
    visibility: new Visibility({ ...deps, canaries }),
    conversations: new Conversations(config, stateDir, newId),
    notices: new Webhooks({ ...deps, webhooks: [], fetch: deps.fetch ?? globalThis.fetch }),
    seal: new Seal(key),
    heldCalls: new HeldCalls(newId),
    flights: new Flights(),
    tasks: new TaskMemory(),
    ears: new ClientEars(),
    logLevels: new LogLevels(),
    subscriptions: new Subscriptions({
      fleet: () => parts.fleet,
      clock: deps.clock,
      log,
      onUpdated: (client, server, uri) => parts.ears.tellUpdated(client, server, uri),
      onTask: (client, server, notice) => {
        const shown = presentTaskNotice(parts, server, client, notice);
        if (shown !== undefined) parts.ears.tellOne(client, shown);
      },
    }),
  };
  return parts;
}

/** What decides, and what is tried beside it. */
function keepAllPolicies(deps: GatewayDeps, key: () => Buffer, onChange: () => void) {
  const policies = keepPolicies({ ...deps, onChange });
  const { layers, ready: mayStart } = policies;
  const canaries = runCanaries({ ...deps, layers, key, onChange, aborts: deps.canaryAborts });
  const shadows = keepShadows({ ...deps, ...shadowing(deps, canaries), mayStart, layers });
  return { policies, canaries, shadows };
}

/** A shadow decides as the gateway does, with an engine of its own, and counts for no canary. */
function shadowing({ config, clock }: GatewayDeps, counting: Canaries) {
  const canaries = quietCanaries(counting);
  return {
    openEngine: () => createPolicyEngine({ ...config.policy, spare: false }),
    partsFor: (engine: PolicyEngine) => {
      const visibility = new Visibility({ config, clock, engine, canaries });
      return { config, engine, canaries, visibility };
    },
  };
}

/** Other things may be visible now. Nobody has seen a list before the first bundles decided. */
function policiesChanged({ ears, shadows, visibility }: GatewayParts, isNews: boolean): void {
  visibility.forget();
  shadows.policiesChanged();
  if (!isNews) return;
  const kinds = new Set(["tools", "prompts", "resources"] as const);
  ears.tellChange({ kinds, connection: undefined }, undefined);
}

const ownInstructions =
  "Every request is checked by policy. A denied or held call says why and what to do instead; repeating it unchanged does not help.";

/** What the servers can do, as far as they were ever greeted. */
function greet({ fleet }: GatewayParts, client: Client): Greeting {
  const servers = fleet.servers
    .filter(({ id }) => isInScope(client.principal, id))
    .map((server) => ({
      server: server.id,
      greeting: cleanGreeting(server, fleet.greeting(server, client)),
    }));
  const { capabilities, instructions } = mergeGreetings(servers, client.era);
  return {
    capabilities,
    instructions: instructions === "" ? ownInstructions : `${ownInstructions}\n\n${instructions}`,
  };
}

function tellRootsChanged({ fleet }: GatewayParts, client: Client): void {
  for (const server of fleet.servers) {
    if (!server.toClient.includes("roots") || server.roots !== undefined) continue;
    fleet.notify(server.id, client, "notifications/roots/list_changed");
  }
}

const changePatienceMs = 2000;

/** A server that hangs is not waited for for long. */
async function awaitChanges({ fleet }: GatewayParts, client: Client): Promise<void> {
  const telling = fleet.servers.filter(
    (server) =>
      isInScope(client.principal, server.id) && fleet.known(server, client)?.era !== "legacy",
  );
  const all = Promise.all(telling.map(({ id }) => fleet.awaitChanges(id, client)));
  const patience = new Promise<void>(
    (resolve) => void setTimeout(resolve, changePatienceMs).unref(),
  );
  await Promise.race([all, patience]);
}

async function closeParts(parts: GatewayParts): Promise<void> {
  await parts.notices.close();
  parts.heldCalls.close();
  parts.subscriptions.close();
  try {
    await parts.fleet.close();
  } finally {
    const { policies, engine, conversations, decisionLog, blocks, approvals, usage } = parts;
    await Promise.all([policies.close(), parts.canaries.close(), parts.shadows.close()]);
    await Promise.all(
      [engine, conversations, blocks, approvals, usage].map((part) => part.close()),
    );
    await decisionLog.close();
  }
}
