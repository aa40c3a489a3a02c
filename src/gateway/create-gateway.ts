/**
 * Puts the stages together: upstream servers, policy engine, conversations, decision log. What
 * touches the outside is handed in; this file decides only who meets whom.
 */
import type { GatewayConfig } from "../config/config.ts";
import type { Clock, Log, NewId } from "../contract/ambient.ts";
import { isInScope, principalOf } from "../contract/principal.ts";
import type { DecisionLog } from "../contract/record.ts";
import { messageOf } from "../errors.ts";
import { mergeGreetings } from "../mcp/catalog/merge-greetings.ts";
import type { PolicyEngine } from "../policy/engine/policy-engine.ts";
import { act } from "./act.ts";
import { HeldCalls } from "./action/held-calls.ts";
import { refuseMalformed } from "./action/refuse.ts";
import { TaskMemory } from "./action/tasks.ts";
import { ClientEars } from "./client-ears.ts";
import { Conversations } from "./conversations.ts";
import type { Connect } from "./fleet/fleet-server-deps.ts";
import { ListingStore } from "./fleet/listing-store.ts";
import { LogLevels } from "./fleet/log-levels.ts";
import { ServerFleet } from "./fleet/server-fleet.ts";
import { Subscriptions } from "./fleet/subscriptions.ts";
import type { Client, Gateway, Greeting } from "./gateway.ts";
import { hearUpstream, presentTaskNotice } from "./hear-upstream.ts";
import { listItems } from "./list-items.ts";
import { listTasks } from "./list-tasks.ts";
import { listenTo } from "./listen-to.ts";
import type { LoadBundle } from "./load-policies.ts";
import { loadPolicies } from "./load-policies.ts";
import { parameterHeaders } from "./parameter-headers.ts";
import type { GatewayParts } from "./parts.ts";
import { Seal, sealKey } from "./seal.ts";
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
  readonly loadBundle: LoadBundle;
  readonly connect: Connect;
  /** Resolves when servers and policies may start; a front first answers its client's greeting. */
  readonly mayStart: Promise<void>;
  /** The one session of a front that has only one, so that its servers are started once. */
  readonly onlySession: string | undefined;
}

/** Returns at once; servers and policies start side by side, and requests wait for what they need. */
export function createGateway(deps: GatewayDeps): Gateway {
  const parts = assemble(deps);
  const { fleet, subscriptions, logLevels } = parts;
  const recalled = fleet.recall();
  fleet.start(Promise.all([recalled, deps.mayStart]).then(() => undefined));
  fleet.onChange((kinds) => parts.ears.tellChange(kinds));
  return {
    recalled,
    ready: Promise.all([parts.policiesReady, deps.mayStart.then(() => fleet.settled())]).then(
      () => undefined,
    ),
    greet: (client) => greet(parts, client),
    list: (client, kind) => listItems(parts, client, kind),
    act: (request) => act(parts, request),
    setLogLevel: (client, level) => logLevels.set(client, level, fleet),
    rootsChanged: (client) => tellRootsChanged(parts, client),
    unsubscribe: async (client, uri) => {
      const found = fleet.routeUri(uri, client.principal.key);
      const server = found && deps.config.servers.get(found.server);
      if (server !== undefined) await subscriptions.remove(client, server, found?.uri ?? uri);
    },
    listTasks: (client) => listTasks(parts, client),
    listen: (client, ear) => listenTo(parts, client, ear),
    awaitChanges: (client) => awaitChanges(parts, client),
    parameterHeaders: (client, name) => parameterHeaders(parts, client, name),
    refuseMalformed: (client) => refuseMalformed(parts, client),
    forget: (client) => {
      subscriptions.forget(client);
      logLevels.forget(client);
      fleet.forget(client);
    },
    close: () => closeParts(parts),
  };
}

function assemble(deps: GatewayDeps): GatewayParts {
  const { config, log, engine, loadBundle, mayStart, stateDir, newId, onlySession } = deps;
  const { tenant, agent, user } = config;
  const principal = principalOf({ tenant, agent, user, servers: undefined });
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
    policiesReady: mayStart
      .then(() => loadPolicies(config, engine, loadBundle, log))
      .catch((thrown: unknown) => {
        log.error({ reason: messageOf(thrown) }, "policies not loaded; every call is denied");
      }),
    visibility: new Visibility(deps),
    conversations: new Conversations(stateDir, newId),
    seal: new Seal(() => sealKey(config.stateKey, stateDir)),
    heldCalls: new HeldCalls(newId),
    tasks: new TaskMemory(),
    ears: new ClientEars(),
    logLevels: new LogLevels(),
    subscriptions: new Subscriptions({
      fleet: () => parts.fleet,
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

const ownInstructions =
  "Every request is checked by policy. A denied or held call says why and what to do instead; repeating it unchanged does not help.";

/** What the servers can do, as far as they were ever greeted. */
function greet({ fleet }: GatewayParts, { era, principal }: Client): Greeting {
  const servers = fleet.greetings
    .filter(([{ id }]) => isInScope(principal, id))
    .map(([{ id }, greeting]) => ({ server: id, greeting }));
  const { capabilities, instructions } = mergeGreetings(servers, era);
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
  const telling = fleet.greetings.filter(
    ([{ id }, greeting]) => isInScope(client.principal, id) && greeting?.era !== "legacy",
  );
  const all = Promise.all(telling.map(([{ id }]) => fleet.awaitChanges(id, client)));
  const patience = new Promise<void>(
    (resolve) => void setTimeout(resolve, changePatienceMs).unref(),
  );
  await Promise.race([all, patience]);
}

async function closeParts(parts: GatewayParts): Promise<void> {
  parts.heldCalls.close();
  parts.subscriptions.close();
  try {
    await parts.fleet.close();
  } finally {
    const { engine, conversations, decisionLog } = parts;
    await Promise.all([engine.close(), conversations.close(), decisionLog.close()]);
  }
}
