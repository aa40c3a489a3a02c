/**
 * For whom something happens: the agent and the user it acts for. On stdio the configuration says
 * it, on HTTP a verified token does. Everything that must not cross from one to another (caches,
 * sessions, held calls, task ids, child processes) is kept under the principal's key.
 */
import type { AgentIdentity, UserIdentity } from "./policy-input.ts";
import { sha256Of } from "./sha256.ts";
import type { VouchedConversation } from "./vouched-conversation.ts";

export interface Principal {
  /** Digest of tenant, user id and agent id; safe as a file name. */
  readonly key: string;
  readonly tenant: string;
  readonly agent: AgentIdentity;
  readonly user: UserIdentity;
  /** Config ids of the servers that its token's scopes name; `undefined` where nothing limits them. */
  readonly servers: ReadonlySet<string> | undefined;
  /** On stdio the names of the process's user: whoever they are, they sit at the client. */
  readonly osUsers?: readonly string[] | undefined;
  /** Of its conversations the one that somebody trusted names; otherwise it has one. */
  readonly conversation?: VouchedConversation | undefined;
}

/**
 * Under what is kept what a client carries from one request to the next of the same conversation.
 */
export function continuityKey({ key, conversation }: Principal): string {
  return conversation === undefined ? key : `${key}.${conversation.key}`;
}

/** True for a server that the principal's token does not leave out. */
export function isInScope({ servers }: Principal, server: string): boolean {
  return servers === undefined || servers.has(server);
}

/** Makes a principal with its key. */
export function principalOf(parts: Omit<Principal, "key">): Principal {
  const identity = JSON.stringify([parts.tenant, parts.user.id, parts.agent.id]);
  return { ...parts, key: sha256Of(identity).slice("sha256:".length, "sha256:".length + 32) };
}
