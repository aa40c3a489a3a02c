/**
 * The bundle that a command means: a digest, or as much of one as no other bundle of the source
 * shares.
 */
import type { BundleHistory } from "../../bundle/life/bundle-history.ts";
import { isDigest } from "../../bundle/digest.ts";
import type { Digest } from "../../contract/bundle.ts";
import { exitCodes } from "../exit-code.ts";
import { CliError } from "../io.ts";

const prefixShape = /^(?:sha256:|sha512:)?[0-9a-f]{12,128}$/;
const maxShown = 5;

/** Every bundle that a history speaks of, once. */
export function knownDigests(history: BundleHistory): readonly Digest[] {
  const { active, previous, candidate, hold, revoked } = history;
  const all = [active, ...previous, candidate, hold, ...revoked];
  return [...new Set(all.flatMap((one) => (one === null ? [] : [one.digest])))];
}

/**
 * The digest that a text stands for, of a source's bundles. A whole one stands for itself, known or
 * not.
 *
 * @throws CliError usage, where the text is no digest, or begins none or several of those known
 */
export function findDigest(source: string, text: string, known: readonly Digest[]): Digest {
  if (isDigest(text)) return text;
  if (!prefixShape.test(text)) {
    const expected = "a digest sha256:…, or at least its first 12 hexadecimal digits";
    throw new CliError(exitCodes.usage, `expected ${expected}, found "${text.slice(0, 140)}"`);
  }
  const found = known.filter(
    (digest) => digest.startsWith(text) || digest.slice("sha256:".length).startsWith(text),
  );
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only;
  const what = only === undefined ? "none" : found.slice(0, maxShown).join(", ");
  throw new CliError(
    exitCodes.usage,
    `expected one known bundle of "${source}" whose digest begins with ${text}, found ${what}; see mcp-gateway bundle history ${source}`,
  );
}
