/**
 * A bundle on a web server, as OPA's bundle service has it: conditional `GET` by ETag, and a long
 * poll where the server says by its content type that it knows how. A version is the hash of the
 * archive, so that what is fetched is what was polled, whatever the server does in between.
 */
import { sha256Of } from "../../contract/sha256.ts";
import { archiveLimits } from "../archive.ts";
import { BundleError } from "../bundle-error.ts";
import type { BundleCache } from "../cache.ts";
import { isDigest } from "../digest.ts";
import type { ServiceReference } from "../url-reference.ts";
import type { BundleSource, Version } from "./bundle-source.ts";
import type { Credentials } from "./credentials.ts";
import { staticCredentials } from "./credentials.ts";
import { pollResult } from "./poll-result.ts";
import { createStaticAuth } from "./registry-auth.ts";
import { failureOf } from "./registry-failure.ts";
import { exchange } from "./registry-request.ts";
import type { RegistryAnswer, RegistryOptions } from "./registry-session.ts";
import { closeSession, openSession } from "./registry-session.ts";
import { unsignedBundle } from "./unsigned-bundle.ts";

/** How to talk to a bundle service. */
export interface ServiceSourceOptions {
  readonly registry: RegistryOptions;
  /** How long the server may hold an answer back; no long poll where it is left out. */
  readonly longPollMs?: number | undefined;
  /** Where a bundle that is trusted is kept. */
  readonly cache: BundleCache | undefined;
}

/** A longer one is no validator that anybody makes, and would be kept and sent back for ever. */
const etagPattern = /^[\t\x20-\x7e\x80-\xff]{1,1024}$/;

/** The content type by which OPA's bundle servers say that they hold answers back. */
const longPollType = "application/vnd.openpolicyagent.bundles";

interface Held {
  readonly version: Version;
  readonly archive: Buffer;
}

/** The source of an `https://` reference. */
export function createServiceSource(
  { url }: ServiceReference,
  options: ServiceSourceOptions,
): BundleSource {
  // What a poll brought along, until it is fetched; and what is known of the server.
  let held: Held | undefined;
  let latest: Version | undefined;
  let mayWait = false;

  const poll = async (known: Version | undefined, signal: AbortSignal) => {
    const waitMs = mayWait && known !== undefined ? options.longPollMs : undefined;
    const etag = known?.id === latest?.id ? (latest?.etag ?? known?.etag) : known?.etag;
    const { monotonicMs } = options.registry.clock;
    const askedMs = monotonicMs();
    const answer = await get(url, { ...options, signal, etag, waitMs });
    // A server that only says that it waits would be asked again without a pause.
    const waited = waitMs !== undefined && monotonicMs() - askedMs >= waitMs / 2;
    if (answer.status === 304 && known !== undefined) return { version: known, waited };
    const found = readAnswer(url, answer);
    mayWait = answer.header("content-type")?.split(";")[0]?.trim().toLowerCase() === longPollType;
    latest = found.version;
    held = found.version.id === known?.id ? undefined : found;
    return { version: found.version, waited };
  };

  return {
    describe: url,
    isFixed: false,
    poll: async (known, signal) => await pollResult(known, () => poll(known, signal)),
    fetch: async (version, signal) => {
      const kept = held?.version.id === version.id ? held : undefined;
      held = undefined;
      const found = kept ?? readAnswer(url, await get(url, { ...options, signal }));
      if (found.version.id !== version.id) throw movedOn(url, version);
      return unsignedBundle(found.version, found.archive, "service", options.cache);
    },
    close: () => {
      held = undefined;
    },
  };
}

interface Asked extends Omit<ServiceSourceOptions, "cache"> {
  readonly signal: AbortSignal;
  readonly etag?: string | undefined;
  readonly waitMs?: number | undefined;
}

async function get(
  address: string,
  { registry, signal, etag, waitMs }: Asked,
): Promise<RegistryAnswer> {
  const url = new URL(address);
  const target = { host: url.host, repository: "", where: address, origin: url.origin };
  const deadlineMs = (registry.deadlineMs ?? 120_000) + (waitMs ?? 0);
  const auth = createStaticAuth(await credentialsOf(url.host, registry));
  const session = await openSession(target, { ...registry, signal, deadlineMs }, auth);
  const seconds = waitMs === undefined ? undefined : Math.ceil(waitMs / 1000);
  const prefer = seconds === undefined ? "modes=snapshot" : `modes=snapshot;wait=${seconds}`;
  try {
    const answer = await exchange(session, {
      method: "GET",
      url,
      headers: { prefer, ...(etag === undefined ? {} : { "if-none-match": etag }) },
      maxBytes: archiveLimits.packedBytes,
      ...(waitMs === undefined ? {} : { waitMs }),
    });
    if (answer.status === 200 || (answer.status === 304 && etag !== undefined)) return answer;
    throw failureOf(session, answer, "a bundle");
  } finally {
    await closeSession(session);
  }
}

/** Of the config alone: a login at a registry of the same host is not meant for this. */
async function credentialsOf(
  host: string,
  { settings, credentials }: RegistryOptions,
): Promise<Credentials | undefined> {
  const setting = settings?.(host);
  if (setting?.credentialHelper !== undefined) return await credentials(host);
  return setting === undefined ? undefined : staticCredentials(setting);
}

function readAnswer(url: string, answer: RegistryAnswer): Held {
  if (answer.body.length === 0) {
    throw new BundleError("bundle_protocol_invalid", `${url}: expected a bundle, found nothing`);
  }
  const etag = answer.header("etag") ?? "";
  const id = sha256Of(answer.body);
  const version = etagPattern.test(etag) ? { id, etag } : { id };
  return { version, archive: answer.body };
}

function movedOn(url: string, { id }: Version): BundleError {
  const wanted = isDigest(id) ? id : "the version that was polled";
  return new BundleError(
    "bundle_not_found",
    `${url}: expected ${wanted}, found another bundle; it was replaced meanwhile`,
  );
}
