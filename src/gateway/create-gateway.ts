/**
 * Puts the stages together: upstream servers, policy engine, conversation, decision log. What
 * touches the outside is handed in; this file decides only who meets whom.
 */
import { join } from "node:path";
import type { GatewayConfig } from "../config/config.ts";
import type { Clock, Log, NewId } from "../contract/ambient.ts";
import { sha256Of } from "../contract/sha256.ts";
import type { DecisionLog } from "../contract/record.ts";
import { messageOf } from "../errors.ts";
import type { PolicyEngine } from "../policy/engine/policy-engine.ts";
import { Conversation } from "../policy/input/conversation.ts";
import { callTool } from "./call-tool.ts";
import type { Gateway } from "./gateway.ts";
import { listTools } from "./list-tools.ts";
import type { LoadBundle } from "./load-policies.ts";
import { loadPolicies } from "./load-policies.ts";
import type { GatewayParts } from "./parts.ts";
import { refuseMalformed } from "./refuse.ts";
import type { Connect } from "./server-fleet.ts";
import { ServerFleet } from "./server-fleet.ts";
import { Visibility } from "./visibility.ts";

export interface GatewayDeps {
  readonly config: GatewayConfig;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
  /** Folder of this user's state; conversations are kept below it. */
  readonly stateDir: string;
  readonly engine: PolicyEngine;
  readonly decisionLog: DecisionLog;
  readonly loadBundle: LoadBundle;
  readonly connect: Connect;
  /** Resolves when servers and policies may start; a front first answers its client's greeting. */
  readonly mayStart: Promise<void>;
}

/** Returns at once; servers and policies start side by side, and calls wait for what they need. */
export function createGateway(deps: GatewayDeps): Gateway {
  const { config, log, engine, loadBundle, mayStart } = deps;
  const fleet = new ServerFleet({
    servers: [...config.servers.values()],
    connect: deps.connect,
    log,
  });
  const parts: GatewayParts = {
    ...deps,
    fleet,
    policiesReady: mayStart
      .then(() => loadPolicies(config, engine, loadBundle, log))
      .catch((thrown: unknown) => {
        log.error({ reason: messageOf(thrown) }, "policies not loaded; every call is denied");
      }),
    visibility: new Visibility(deps),
    conversation: new Conversation(conversationFolder(deps), deps.newId),
  };
  fleet.start(mayStart);
  return {
    callTool: (call) => callTool(parts, call),
    listTools: () => listTools(parts),
    refuseMalformed: (protocolVersion) => refuseMalformed(parts, protocolVersion),
    onToolsChanged: (listener) => fleet.onChange(listener),
    close: () => closeParts(parts),
  };
}

/** A conversation belongs to (tenant, user, agent), whatever characters their ids have. */
function conversationFolder({ config, stateDir }: GatewayDeps): string {
  const key = sha256Of(JSON.stringify([config.tenant, config.user.id, config.agent.id]));
  return join(stateDir, "conversations", key.slice("sha256:".length, "sha256:".length + 32));
}

async function closeParts(parts: GatewayParts): Promise<void> {
  await parts.fleet.close();
  await Promise.all([parts.engine.close(), parts.conversation.close(), parts.decisionLog.close()]);
}
