/**
 * Whether a package of the record is what was packed, and the record in it what was written: by the
 * package alone and a key, anywhere. It goes on after the first thing that does not fit, so that a
 * change to a record is named by its place and not as a changed file only.
 */
import { createHash } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { ChainCheck } from "../integrity/chain-check.ts";
import type { Tampering } from "../integrity/chain-check.ts";
import { keyIdOf } from "../integrity/checkpoint.ts";
import { checkLines } from "../integrity/read-checkpoints.ts";
import { readMembers } from "../record-header.ts";
import { bundlesOf } from "./make-package.ts";
import type { PackageFiles, PackageManifest } from "./package-manifest.ts";
import {
  checkpointsName,
  contentName,
  digestOfName,
  isManifestSigned,
  keyName,
  manifestName,
  readManifest,
  recordsName,
  signatureName,
} from "./package-manifest.ts";
import { readRecordLine, textOfLine } from "./record-line.ts";

const lineEnd = 10;

/** Something that does not fit; of the package itself without a writer, at place 0. */
export interface PackageProblem {
  readonly kind: Tampering["kind"] | "package" | "bundle";
  readonly writer: string;
  readonly seq: number;
  readonly message: string;
}

export interface PackageVerification {
  readonly writers: number;
  readonly records: number;
  readonly checkpoints: number;
  /** Records behind the last checkpoint of their writer; the package's own signature covers them. */
  readonly uncovered: number;
  readonly bundles: number;
  readonly missing_bundles: readonly string[];
  readonly made_at: string | null;
  /** Id of the key that signed it. */
  readonly key: string | null;
  /** By writer, the first place that does not fit first; empty where everything fits. */
  readonly problems: readonly PackageProblem[];
}

/** Verifies everything with the key. */
export function verifyPackage(files: PackageFiles, key: KeyObject): PackageVerification {
  const text = files.get(manifestName)?.toString("utf8") ?? "";
  const manifest = readManifest(text);
  if (manifest === undefined) return nothing(packageProblem("it has no manifest"));
  const chains = manifest.writers.map((part) => checkWriter(files, part, key));
  const problems = [
    ...checkSignature(files, text, manifest, key),
    ...chains.flatMap((chain) => chain.problems),
    ...checkBundles(files, manifest),
    ...checkFiles(files, manifest),
  ];
  const sum = (of: (chain: CheckedWriter) => number): number =>
    chains.reduce((total, chain) => total + of(chain), 0);
  return {
    writers: manifest.writers.length,
    records: sum(({ records }) => records),
    checkpoints: sum(({ checkpoints }) => checkpoints),
    uncovered: sum(({ uncovered }) => uncovered),
    bundles: manifest.bundles.length,
    missing_bundles: manifest.missing_bundles,
    made_at: manifest.made_at,
    key: manifest.key,
    problems,
  };
}

function nothing(problem: PackageProblem): PackageVerification {
  const counts = { writers: 0, records: 0, checkpoints: 0, uncovered: 0, bundles: 0 };
  return { ...counts, missing_bundles: [], made_at: null, key: null, problems: [problem] };
}

function checkSignature(
  files: PackageFiles,
  text: string,
  manifest: PackageManifest,
  key: KeyObject,
): readonly PackageProblem[] {
  const signature = files.get(signatureName)?.toString("utf8") ?? "";
  if (manifest.key !== keyIdOf(key)) {
    return [packageProblem(`it is signed with another key, ${manifest.key}`)];
  }
  return isManifestSigned(text, signature, key)
    ? []
    : [packageProblem("its manifest is not signed by the key")];
}

interface CheckedWriter {
  readonly records: number;
  readonly checkpoints: number;
  readonly uncovered: number;
  readonly problems: readonly Tampering[];
}

function checkWriter(
  files: PackageFiles,
  { writer, records, left_out: leftOut }: PackageManifest["writers"][number],
  key: KeyObject,
): CheckedWriter {
  const stated = checkLines(writer, linesOf(files.get(checkpointsName(writer))), key);
  const check = new ChainCheck(writer, stated.statements, leftOut);
  let seq = Math.max(0, ...leftOut.filter(({ first }) => first === 1).map(({ last }) => last));
  let found = 0;
  for (const line of linesOf(files.get(recordsName(writer)))) {
    found += 1;
    const record = readRecordLine(line, writer, seq);
    seq = record.seq;
    check.next(record);
  }
  const problems = [...stated.problems, ...check.end()];
  const isShort = found < records && problems.length === 0;
  const message = `${records} records were packed, ${found} are here`;
  const short: Tampering[] = isShort ? [{ kind: "truncated", writer, seq: seq + 1, message }] : [];
  return {
    records: found,
    checkpoints: stated.statements.length,
    uncovered: check.uncovered,
    problems: [...problems, ...short],
  };
}

/** What records name is here, as its digest says, or stated to be missing. */
function checkBundles(files: PackageFiles, manifest: PackageManifest): readonly PackageProblem[] {
  const known = new Set([...manifest.bundles, ...manifest.missing_bundles]);
  const unknown = [...namedBundles(files, manifest)].filter((digest) => !known.has(digest));
  const absent = manifest.bundles.filter((digest) => !files.has(contentName(digest)));
  const swapped = [...files].flatMap(([name, bytes]) => {
    const digest = digestOfName(name);
    return digest === undefined || isOf(digest, bytes) ? [] : [digest];
  });
  return [
    ...unknown.map((digest) => bundleProblem(`${digest} is named by a record and not packed`)),
    ...absent.map((digest) => bundleProblem(`${digest} was packed and is not here`)),
    ...swapped.map((digest) => bundleProblem(`${digest} has other content`)),
  ];
}

function namedBundles(files: PackageFiles, { writers }: PackageManifest): ReadonlySet<string> {
  const named = new Set<string>();
  for (const { writer } of writers) {
    for (const line of linesOf(files.get(recordsName(writer)))) {
      for (const digest of bundlesOf(readMembers(textOfLine(line) ?? ""))) named.add(digest);
    }
  }
  return named;
}

function isOf(digest: string, bytes: Buffer): boolean {
  const [algorithm = "", hex] = digest.split(":");
  return createHash(algorithm).update(bytes).digest("hex") === hex;
}

function checkFiles(files: PackageFiles, manifest: PackageManifest): readonly PackageProblem[] {
  const listed = new Map(manifest.files.map((file) => [file.name, file.sha256]));
  const own = new Set([manifestName, signatureName, keyName]);
  const changed = [...listed].flatMap(([name, sha256]) => {
    const bytes = files.get(name);
    if (bytes === undefined) return [packageProblem(`${name} is not here`)];
    return isOf(`sha256:${sha256}`, bytes) ? [] : [packageProblem(`${name} was changed`)];
  });
  const strange = [...files.keys()].filter((name) => !listed.has(name) && !own.has(name));
  return [...changed, ...strange.map((name) => packageProblem(`${name} was not packed`))];
}

/** One by one: a file of records is longer than a text can be. */
function* linesOf(file: Buffer = Buffer.alloc(0)): Generator<string> {
  for (let from = 0; from < file.length;) {
    const end = file.indexOf(lineEnd, from);
    const line = file.toString("utf8", from, end === -1 ? file.length : end);
    if (line !== "") yield line;
    from = end === -1 ? file.length : end + 1;
  }
}

function packageProblem(message: string): PackageProblem {
  return { kind: "package", writer: "-", seq: 0, message };
}

function bundleProblem(message: string): PackageProblem {
  return { kind: "bundle", writer: "-", seq: 0, message };
}
