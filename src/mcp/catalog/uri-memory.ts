/**
 * URIs that results of a server mentioned and no list of it has: a link to a search hit, an embedded
 * file. A client may ask for them next, and only the server that mentioned them knows them. Kept for
 * the principal who got the result, since what it may read is nobody else's business; bounded for
 * each server, so that one that mentions many pushes out its own and no other's.
 */
import { isResourceUri } from "./resource-uri.ts";

/** URIs of one server, over all principals. */
const defaultCapacity = 10_000;

/** Starts empty; of each server the least recently used URIs go first. */
export class UriMemory {
  readonly #capacity: number;
  /** By server: keys in the order of their last use. */
  readonly #mentions = new Map<string, Set<string>>();

  constructor(capacity: number = defaultCapacity) {
    this.#capacity = capacity;
  }

  /** Notes that a result of `server` for this principal mentioned `uri`, the server's own. */
  remember(server: string, uri: string, principalKey: string): void {
    if (!isResourceUri(uri)) return;
    const keys = this.#mentions.get(server) ?? new Set();
    this.#mentions.set(server, keys);
    touch(keys, keyOf(principalKey, uri));
    for (const oldest of keys) {
      if (keys.size <= this.#capacity) break;
      keys.delete(oldest);
    }
  }

  /** The servers that mentioned it to this principal. */
  serversOf(uri: string, principalKey: string): readonly string[] {
    const key = keyOf(principalKey, uri);
    const found = [...this.#mentions].filter(([, keys]) => keys.has(key));
    for (const [, keys] of found) touch(keys, key);
    return found.map(([server]) => server);
  }
}

function touch(keys: Set<string>, key: string): void {
  keys.delete(key);
  keys.add(key);
}

/** No principal's key holds a space. */
function keyOf(principalKey: string, uri: string): string {
  return `${principalKey} ${uri}`;
}
