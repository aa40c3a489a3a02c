/**
 * What the fleet keeps on disk of each server: its lists from the last run, and the pins of its
 * tools. A list is a memory and may be lost; a pin is a promise, and where pins cannot be read or
 * written every tool of that server counts as changed.
 */
import type { ServerConfig } from "../../config/config.ts";
import { canonicalJson } from "../../contract/canonical-json.ts";
import type { Clock, Log } from "../../contract/ambient.ts";
import { sha256Of } from "../../contract/sha256.ts";
import type { CachedListing } from "../../mcp/catalog/listing-cache.ts";
import { readCachedListing, writeCachedListing } from "../../mcp/catalog/listing-cache.ts";
import type { ServerListing } from "../../mcp/catalog/read-listing.ts";
import { readTool } from "../../mcp/catalog/read-tool.ts";
import { pinFileStamp, readPins } from "../../mcp/catalog/pin-file.ts";
import type { PinReading } from "../../mcp/catalog/pin-file.ts";
import { alignPins, meetTools } from "../../mcp/catalog/tool-pins.ts";
import type { UpstreamGreeting } from "../../mcp/upstream/upstream-connection.ts";
import { isReleasedTool } from "./release-standing.ts";

export interface KeptListing {
  readonly greeting: UpstreamGreeting;
  readonly listing: ServerListing;
  /** Milliseconds since the epoch. */
  readonly savedMs: number;
}

export type Lists = Pick<CachedListing, "tools" | "prompts" | "resources" | "resourceTemplates">;

export interface ListingStoreDeps {
  readonly stateDir: string;
  readonly clock: Clock;
  readonly log: Log;
}

export class ListingStore {
  readonly #deps: ListingStoreDeps;
  /** The file of pins that was last looked at for a listing. */
  readonly #stamps = new WeakMap<ServerListing, string>();

  constructor(deps: ListingStoreDeps) {
    this.#deps = deps;
  }

  /**
   * Makes the pins of a released server those of its release. Whoever moved it and was ended between
   * the lock and the pins is finished by whichever gateway comes next.
   */
  async align({ id, release }: ServerConfig): Promise<void> {
    if (release === undefined) return;
    const { stateDir, log } = this.#deps;
    const known = await readPins(stateDir, id);
    const isAligned =
      known.ok && [...known.pins].every(([tool, { digest }]) => release.pins.get(tool) === digest);
    if (isAligned) return;
    const aligned = await alignPins(this.#deps, id, release.pins);
    if (aligned.ok) return log.info({ server: id }, "pins of another release forgotten");
    log.error({ server: id, reason: aligned.reason }, "pins of another release not forgotten");
  }

  /** What the last run saw; `undefined` where there is nothing, or nothing of use. */
  async read(server: ServerConfig): Promise<KeptListing | undefined> {
    const { stateDir, log } = this.#deps;
    const reading = await readCachedListing(stateDir, server.id, listingKey(server));
    if (reading.kind === "unusable") {
      log.warn({ server: server.id, reason: reading.reason }, "kept list of a server not used");
    }
    if (reading.kind !== "listing") return undefined;
    const { greeting, savedAtMs } = reading.listing;
    const listing = await this.meet(server, reading.listing);
    return { greeting, listing, savedMs: savedAtMs };
  }

  /** Keeps what a server listed; tools that were never seen are pinned. */
  async keep(
    server: ServerConfig,
    greeting: UpstreamGreeting,
    lists: Lists,
  ): Promise<ServerListing> {
    const { stateDir, clock, log } = this.#deps;
    const savedAtMs = clock.nowMs();
    const cached = { greeting, ...lists, savedAtMs };
    const written = await writeCachedListing(stateDir, server.id, listingKey(server), cached);
    if (!written.ok) {
      log.warn({ server: server.id, reason: written.reason }, "list of a server not kept");
    }
    return await this.meet(server, lists);
  }

  /** The listing of one session, kept nowhere; tools that were never seen are pinned all the same. */
  async meet(server: ServerConfig, lists: Lists): Promise<ServerListing> {
    const { tools, prompts, resources, resourceTemplates } = lists;
    const seen = tools.flatMap((listed) => {
      const reading = readTool(listed);
      return reading.ok ? [reading.item] : [];
    });
    // What another program says must not stand in the way of the released one.
    const met = seen.filter((tool) => isReleasedTool(server.release, tool));
    const pins = await meetTools(this.#deps, server.id, met);
    if (!pins.ok) {
      const { reason } = pins;
      this.#deps.log.error({ server: server.id, reason }, "pins not usable; its tools are denied");
    }
    return { server: server.id, tools, prompts, resources, resourceTemplates, pins };
  }

  /** The listing with the pins of now; `undefined` where they are those it has. */
  async repinned(before: ServerListing): Promise<ServerListing | undefined> {
    const { stateDir } = this.#deps;
    const stamp = await pinFileStamp(stateDir, before.server);
    if (this.#stamps.get(before) === stamp) return undefined;
    this.#stamps.set(before, stamp);
    const pins = await readPins(stateDir, before.server);
    if (isSame(before.pins, pins)) return undefined;
    const now = { ...before, pins };
    this.#stamps.set(now, stamp);
    return now;
  }
}

/** True where two listings say the same, and the same pins hold for them. */
export function isSameListing(one: ServerListing, other: ServerListing): boolean {
  return one === other || (textOf(one) === textOf(other) && isSame(one.pins, other.pins));
}

const texts = new WeakMap<ServerListing, string>();

/** Digest of the lists as they were sent. */
function textOf(listing: ServerListing): string {
  const { tools, prompts, resources, resourceTemplates } = listing;
  const known = texts.get(listing);
  const text = known ?? sha256Of(JSON.stringify([tools, prompts, resources, resourceTemplates]));
  texts.set(listing, text);
  return text;
}

function isSame(before: PinReading | undefined, now: PinReading | undefined): boolean {
  if (before?.ok !== true || now?.ok !== true) return before?.ok === now?.ok;
  const isKept = [...now.pins].every(
    ([name, { digest }]) => before.pins.get(name)?.digest === digest,
  );
  return isKept && before.pins.size === now.pins.size;
}

/**
 * What a kept list is good for: a digest of all that decides which server is talked to, as whom, and
 * which release of it; secrets only as part of it.
 */
export function listingKey({
  transport,
  protocol,
  toClient,
  roots,
  release,
}: ServerConfig): string {
  const released = release && { version: release.version, pins: [...release.pins] };
  const identity = JSON.stringify({ transport, protocol, toClient, roots, release: released });
  return sha256Of(canonicalJson(JSON.parse(identity)));
}
