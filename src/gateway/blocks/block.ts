/**
 * What an operator has stopped, and the set that the spine asks. A block names one agent, user,
 * server or tool exactly; there are no patterns, so that nobody stops more than they meant.
 */
import type { Principal } from "../../contract/principal.ts";

export const blockKinds = ["agent", "user", "server", "tool"] as const;
export type BlockKind = (typeof blockKinds)[number];

/** `everywhere`: in the store that replicas share; `this_machine`: in the state folder. */
export type BlockScope = "everywhere" | "this_machine";

/** Who or what is stopped; the id of a tool is `SERVER/TOOL`. */
export interface BlockSubject {
  readonly kind: BlockKind;
  readonly id: string;
}

/** One block, as it is kept and shown. */
export interface Block extends BlockSubject {
  readonly by: string;
  /** RFC 3339. */
  readonly at: string;
  readonly reason: string | null;
}

/** What an action is for, as far as it is known. */
export interface StopPlace {
  readonly server: string;
  /** Exact name. */
  readonly tool: string | undefined;
}

/** Looks up blocks by what they name. */
export class BlockSet {
  readonly #known: ReadonlyMap<string, Block>;

  constructor(blocks: readonly Block[]) {
    this.#known = new Map(blocks.map((block) => [keyOf(block), block]));
  }

  /** A sub-agent is stopped with each of the agents `above` it. */
  findPrincipal({ agent, user }: Principal, above: () => readonly string[]): Block | undefined {
    if (this.#known.size === 0) return undefined;
    const stops = [agent.id, ...above()].map((id) => this.#find("agent", id));
    return stops.find((block) => block !== undefined) ?? this.#find("user", user.id);
  }

  findPlace({ server, tool }: StopPlace): Block | undefined {
    if (this.#known.size === 0) return undefined;
    const found = this.#find("server", server);
    return found ?? (tool === undefined ? undefined : this.#find("tool", `${server}/${tool}`));
  }

  #find(kind: BlockKind, id: string): Block | undefined {
    return this.#known.get(keyOf({ kind, id }));
  }
}

function keyOf({ kind, id }: BlockSubject): string {
  return `${kind} ${id}`;
}

/** For records and people: `agent support-bot`. */
export function subjectText({ kind, id }: BlockSubject): string {
  return `${kind} ${id}`;
}

/** True for the same agent, user, server or tool. */
export function isSameSubject(left: BlockSubject, right: BlockSubject): boolean {
  return left.kind === right.kind && left.id === right.id;
}
