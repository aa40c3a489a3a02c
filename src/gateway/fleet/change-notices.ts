/**
 * When clients are told that lists changed: changes come in bursts and are told once, and a list that
 * nobody has seen has no news.
 */
import type { CatalogVersions } from "../../mcp/catalog/catalog.ts";
import { listedKinds } from "../../mcp/upstream/list-all.ts";
import type { ListKind } from "../gateway.ts";

/** Lists that changed, for everybody or on one connection alone. */
export interface ListChange {
  readonly kinds: ReadonlySet<ListKind>;
  readonly connection: ConnectionPlace | undefined;
}

export interface ConnectionPlace {
  readonly server: string;
  readonly key: string;
}

interface Pending {
  readonly connection: ConnectionPlace | undefined;
  /** What the server itself said has changed, whether or not it shows. */
  readonly told: Set<ListKind>;
}

/** What lists are now; `undefined` for those that everybody sees. */
export type VersionsNow = (connection: ConnectionPlace | undefined) => CatalogVersions;

const delayMs = 100;

export class ChangeNotices {
  readonly #versionsNow: VersionsNow;
  readonly #listeners = new Set<(change: ListChange) => void>();
  readonly #pending = new Map<string, Pending>();
  /** What was told last. */
  readonly #told = new Map<string, CatalogVersions>();
  #isSeen = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(versionsNow: VersionsNow) {
    this.#versionsNow = versionsNow;
  }

  /** Somebody sees a list: from now on there is news. */
  see(): void {
    if (!this.#isSeen) this.#told.set(everybody, this.#versionsNow(undefined));
    this.#isSeen = true;
  }

  /** Lists may have changed, those of `told` for certain. */
  note(connection: ConnectionPlace | undefined, told: ReadonlySet<ListKind>): void {
    if (!this.#isSeen) return;
    const name = nameOf(connection);
    const pending = this.#pending.get(name) ?? { connection, told: new Set() };
    for (const kind of told) pending.told.add(kind);
    this.#pending.set(name, pending);
    this.#timer ??= setTimeout(() => this.#tell(), delayMs);
  }

  /** Calls `listener` with each change; returns how to stop. */
  onChange(listener: (change: ListChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #tell(): void {
    this.#timer = undefined;
    const pending = [...this.#pending];
    this.#pending.clear();
    const shared = this.#told.get(everybody);
    for (const [name, { connection, told }] of pending) {
      const before = this.#told.get(name) ?? shared;
      const now = this.#versionsNow(connection);
      const kinds = new Set(
        listedKinds.filter((kind) => told.has(kind) || before?.[kind] !== now[kind]),
      );
      // Whoever sees what everybody sees needs no memory of its own.
      if (connection !== undefined && now === this.#versionsNow(undefined)) this.#told.delete(name);
      else this.#told.set(name, now);
      if (kinds.size > 0) for (const listener of this.#listeners) listener({ kinds, connection });
    }
  }
}

const everybody = "";

function nameOf(connection: ConnectionPlace | undefined): string {
  return connection === undefined ? everybody : `${connection.server} ${connection.key}`;
}
