/**
 * `semver.compare` and `semver.is_valid`: Semantic Versioning 2.0.0 as OPA reads it, with an
 * optional `v` in front.
 */
import type { Builtin, BuiltinGroup } from "./builtin.ts";
import { compareTexts } from "./compare-opa-values.ts";
import { ofTexts, textOf } from "./operands.ts";

interface Version {
  readonly numbers: readonly bigint[];
  readonly preRelease: string;
}

const identifiers = /^[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*$/;
const digits = /^\d+$/;
const maxNumber = 2n ** 63n - 1n;

const compare = ofTexts((left: string, right: string) => {
  const [ours, theirs] = [readVersion(left), readVersion(right)];
  if (ours === undefined || theirs === undefined) return undefined;
  return String(Math.sign(compareVersions(ours, theirs)));
});

const isValid: Builtin = ([operand]) => String(readVersion(textOf(operand)) !== undefined);

function readVersion(text: string | undefined): Version | undefined {
  if (text === undefined) return undefined;
  const [beforeMetadata, metadata] = cut(text.replace(/^v/, ""), "+");
  if (metadata !== undefined && !identifiers.test(metadata)) return undefined;
  const [core, preRelease] = cut(beforeMetadata, "-");
  if (preRelease !== undefined && !isPreRelease(preRelease)) return undefined;
  const parts = core.split(".");
  if (parts.length !== 3 || !parts.every((part) => /^(?:0|[1-9]\d*)$/.test(part))) return undefined;
  const numbers = parts.map(BigInt);
  if (numbers.some((number) => number > maxNumber)) return undefined;
  return { numbers, preRelease: preRelease ?? "" };
}

function isPreRelease(text: string): boolean {
  return identifiers.test(text) && !text.split(".").some((part) => /^0\d+$/.test(part));
}

function cut(text: string, separator: string): readonly [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function compareVersions(left: Version, right: Version): number {
  for (const [place, number] of left.numbers.entries()) {
    const order = compareNumbers(number, right.numbers[place] ?? 0n);
    if (order !== 0) return order;
  }
  if (left.preRelease === right.preRelease) return 0;
  // A release comes after all that came before it.
  if (left.preRelease === "") return 1;
  if (right.preRelease === "") return -1;
  return comparePreReleases(left.preRelease.split("."), right.preRelease.split("."));
}

function comparePreReleases(left: readonly string[], right: readonly string[]): number {
  for (const [place, ours] of left.entries()) {
    const theirs = right[place];
    if (theirs === undefined) return 1;
    const order = compareIdentifiers(ours, theirs);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function compareIdentifiers(left: string, right: string): number {
  const [isOurs, isTheirs] = [digits.test(left), digits.test(right)];
  if (isOurs && isTheirs) return compareNumbers(numberOf(left), numberOf(right));
  if (isOurs !== isTheirs) return isOurs ? -1 : 1;
  return compareTexts(left, right);
}

/** What OPA reads of a number that does not fit 64 bits: the greatest that does. */
function numberOf(text: string): bigint {
  const number = BigInt(text);
  return number > maxNumber ? maxNumber : number;
}

function compareNumbers(left: bigint, right: bigint): number {
  return left === right ? 0 : left < right ? -1 : 1;
}

export const semverBuiltins: BuiltinGroup = {
  "semver.compare": compare,
  "semver.is_valid": isValid,
};
