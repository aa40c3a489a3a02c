/**
 * What a gateway is put together from. The spine gets all of it in one value; nothing here is
 * global.
 */
import type { GatewayConfig } from "../config/config.ts";
import type { Clock, Log, NewId } from "../contract/ambient.ts";
import type { DecisionLog } from "../contract/record.ts";
import type { Webhooks } from "../policy/approvals/webhooks.ts";
import type { PolicyEngine } from "../policy/engine/policy-engine.ts";
import type { HeldCalls } from "./action/held-calls.ts";
import type { TaskMemory } from "./action/tasks.ts";
import type { Flights } from "./action/flights.ts";
import type { Blocks } from "./blocks/blocks.ts";
import type { Canaries } from "./canaries/canaries.ts";
import type { ClientEars } from "./client-ears.ts";
import type { Conversations } from "./conversations.ts";
import type { KeptApprovals } from "./keep-approvals.ts";
import type { LogLevels } from "./fleet/log-levels.ts";
import type { ServerFleet } from "./fleet/server-fleet.ts";
import type { Subscriptions } from "./fleet/subscriptions.ts";
import type { KeptPolicies } from "./policies/keep-policies.ts";
import type { Seal } from "./seal.ts";
import type { KeptShadows } from "./shadow/keep-shadows.ts";
import type { Usage } from "./usage/usage.ts";
import type { Visibility } from "./visibility.ts";

export interface GatewayParts {
  readonly config: GatewayConfig;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
  readonly fleet: ServerFleet;
  readonly engine: PolicyEngine;
  readonly visibility: Visibility;
  readonly policies: KeptPolicies;
  /** Bundles that are tried on some principals. */
  readonly canaries: Canaries;
  /** Bundles that are asked about what was decided. */
  readonly shadows: KeptShadows;
  /** Counters and budgets of the active bundles. */
  readonly usage: Usage;
  /** What an operator has stopped. */
  readonly blocks: Blocks;
  /** Calls under way, which a block ends. */
  readonly flights: Flights;
  /** Resolves when the first set of bundles is active and blocks are known; it never rejects. */
  readonly policiesReady: Promise<void>;
  readonly conversations: Conversations;
  readonly decisionLog: DecisionLog;
  /** What people agree to. */
  readonly approvals: KeptApprovals;
  /** What obligations have told to channels. */
  readonly notices: Webhooks;
  readonly seal: Seal;
  readonly heldCalls: HeldCalls;
  readonly tasks: TaskMemory;
  readonly ears: ClientEars;
  readonly subscriptions: Subscriptions;
  readonly logLevels: LogLevels;
}
