/**
 * A registry with mirrors in front of it. Content is asked for by digest and hashed, so any mirror
 * will do; what a tag stands for is the registry's own word, unless the operator believes a mirror.
 * Credentials of the registry never go to a mirror.
 */
import type { RegistryMirror } from "../../config/registry-config.ts";
import { BundleError } from "../bundle-error.ts";
import type { ContentSource } from "../content.ts";
import type { RegistryReference } from "../reference.ts";
import { createAuthMemory, memoryOf } from "./auth-memory.ts";
import type { RegistryOptions } from "./registry-session.ts";

/** A mirror that is open for reading. */
export interface OpenMirror {
  readonly host: string;
  readonly resolveTags: boolean;
  readonly source: ContentSource;
}

/** The same artifact as the mirror calls it. */
export function mirroredReference(
  reference: RegistryReference,
  { host, prefix }: RegistryMirror,
): RegistryReference {
  const repository =
    prefix === undefined ? reference.repository : `${prefix}/${reference.repository}`;
  return { ...reference, host, repository };
}

/** How to talk to a mirror: with its own credentials, or with none at all. */
export function mirrorOptions(
  options: RegistryOptions,
  { credentials }: RegistryMirror,
): RegistryOptions {
  if (credentials === "own") return options;
  const memory = memoryOf(options.memory ?? createAuthMemory(options.clock), "anonymous");
  return { ...options, memory, credentials: () => undefined };
}

/**
 * Reads from the mirrors in their order, and from the registry itself where none helps.
 *
 * @param log - told about each mirror that failed and why
 */
export function withMirrors(
  primary: ContentSource,
  mirrors: readonly OpenMirror[],
  log: RegistryOptions["log"],
): ContentSource {
  const resolving = mirrors.filter(({ resolveTags }) => resolveTags);
  const firstOf = async <Value>(
    places: readonly OpenMirror[],
    ask: (source: ContentSource) => Promise<Value>,
  ): Promise<Value> => {
    for (const { host, source } of places) {
      try {
        return await ask(source);
      } catch (thrown) {
        if (!(thrown instanceof BundleError)) throw thrown;
        const { code, message: problem } = thrown;
        log?.warn({ mirror: host, code, problem }, "registry mirror failed, asking the next one");
      }
    }
    return await ask(primary);
  };
  return {
    resolve: async (version, known) =>
      await firstOf(resolving, (source) => source.resolve(version, known)),
    readManifest: async (digest) => await firstOf(mirrors, (source) => source.readManifest(digest)),
    readBlob: async (descriptor, maxBytes) =>
      await firstOf(mirrors, (source) => source.readBlob(descriptor, maxBytes)),
    // That there is no signature is a word too, and no mirror's.
    referrers: async (subject) => await firstOf(resolving, (source) => source.referrers(subject)),
  };
}
