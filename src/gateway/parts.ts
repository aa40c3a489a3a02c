/**
 * What a gateway is put together from. The spine gets all of it in one value; nothing here is
 * global.
 */
import type { GatewayConfig } from "../config/config.ts";
import type { Clock, Log, NewId } from "../contract/ambient.ts";
import type { DecisionLog } from "../contract/record.ts";
import type { PolicyEngine } from "../policy/engine/policy-engine.ts";
import type { Conversation } from "../policy/input/conversation.ts";
import type { ServerFleet } from "./server-fleet.ts";
import type { Visibility } from "./visibility.ts";

export interface GatewayParts {
  readonly config: GatewayConfig;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
  readonly fleet: ServerFleet;
  readonly engine: PolicyEngine;
  readonly visibility: Visibility;
  /** Resolves when the first set of bundles is active; it never rejects. */
  readonly policiesReady: Promise<void>;
  readonly conversation: Conversation;
  readonly decisionLog: DecisionLog;
}
