/**
 * How held calls get to people, as the rest of the gateway sees it. `approvals-schema.ts` has the
 * file's own names and defaults.
 */

/** How held calls get to people. */
export interface ApprovalsConfig {
  /** How long a held call waits before it is answered. */
  readonly waitMs: number;
  /** Where the policy does not say how long a request is good for. */
  readonly ttlMs: number;
  readonly maxTtlMs: number;
  /** Requests of one principal that may wait, or were just taken back, at once. */
  readonly maxPending: number;
  /** By name; empty: whoever reaches a channel. */
  readonly approvers: ReadonlyMap<string, ApproverConfig>;
  readonly webhooks: readonly WebhookConfig[];
}

/** One person who may decide. */
export interface ApproverConfig {
  readonly groups: readonly string[];
  /** Users of this machine whom the command line and the socket take for this person. */
  readonly osUsers: readonly string[];
}

/** Somebody who is told of requests. */
export interface WebhookConfig {
  readonly name: string;
  readonly url: string;
  /** `whsec_` and base64. */
  readonly secret: string;
  readonly includeArguments: boolean;
}
