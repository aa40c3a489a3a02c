/**
 * `decision get ID --as-test`: a recorded decision as a test case for the policy of one of its layers.
 */
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { basePlaces } from "../../config/policy-places.ts";
import type { Bundle } from "../../contract/bundle.ts";
import { readMembers } from "../../decision/record-header.ts";
import { getDecision } from "../../decision/store/query-decisions.ts";
import { readAdmissionText } from "../../decision/store/read-admission-text.ts";
import { RecordReader } from "../../replay/recorded-decision.ts";
import type { RecordedDecision, TimedLayer } from "../../replay/recorded-decision.ts";
import { regoTest } from "../../replay/rego-test.ts";
import { checkKept } from "../bundle/check-kept.ts";
import { openKeptPlace } from "../bundle/policy-place.ts";
import { loadConfigFor } from "../common-options.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";
import { withStore } from "./with-store.ts";

export interface AsTestOptions {
  readonly config?: string;
  /** Server or layer; default the first that refused, else the server. */
  readonly layer?: string;
  /** Written there instead of to stdout. */
  readonly file?: string;
}

/** Prints or writes the test. */
export async function printAsTest(io: CliIo, id: string, options: AsTestOptions): Promise<void> {
  const { found, text } = await withStore(io, options.config, async (store) => {
    const { decision_id: wanted } = await getDecision(store, id);
    return { found: wanted, text: await readAdmissionText(store, wanted) };
  });
  if (text === undefined) throw unusable(id, "its record was pruned");
  // What is no JSON would become Rego, and whoever can write the store would write the test.
  if (readMembers(text)?.["decision_id"] !== found) throw unusable(id, "its record is not whole");
  const recorded = new RecordReader().read(text);
  if (recorded.isList) throw unusable(id, "what it asked for was hidden, and no call was judged");
  if (recorded.isMasked) throw unusable(id, "its input was masked");
  const layer = chosenLayer(id, recorded, options.layer);
  const bundle = await bundleOf(io, options.config, layer);
  const { policyPackage, metadata } = bundle;
  const rules = Array.isArray(metadata["rules"]) ? metadata["rules"].map(String) : undefined;
  const test = regoTest({ recorded, layer, policyPackage, rules });
  if (test === undefined) throw unusable(id, `"${layer.verdict.layer.name}" gave no answer`);
  if (options.file === undefined) return io.out(test.trimEnd());
  await writeFile(resolve(io.cwd, options.file), test, { mode: 0o600 });
  io.err(`wrote ${options.file}; put it beside the policy and run mcp-gateway policy test`);
}

function chosenLayer(
  id: string,
  { layers }: RecordedDecision,
  wanted: string | undefined,
): TimedLayer {
  const all = layers.filter(({ verdict }) => verdict.layer.canaryOf === undefined);
  const refusing = all.find(({ verdict }) => verdict.ok && verdict.output.deny.length > 0);
  const server = all.find(({ verdict }) => verdict.layer.kind === "server");
  const found =
    wanted === undefined
      ? (refusing ?? server)
      : all.find(({ verdict }) => verdict.layer.name === wanted);
  if (found !== undefined) return found;
  const names = all.map(({ verdict }) => verdict.layer.name).join(", ");
  throw unusable(id, names === "" ? "no policy was asked" : `only ${names} were asked`);
}

/** Its package is not in the record: the bundle that decided has it. */
async function bundleOf(
  io: CliIo,
  configPath: string | undefined,
  { verdict: { layer } }: TimedLayer,
): Promise<Bundle> {
  const { config } = loadConfigFor(io, configPath);
  const isThere = basePlaces(config).some(({ name, policy }) => name === layer.name && policy);
  if (isThere) {
    const place = await openKeptPlace(io, configPath, layer.name);
    const { active, previous } = place.history;
    const entry = [active, ...previous].find((one) => one?.digest === layer.digest);
    if (entry) return (await checkKept(io, place, entry)).bundle;
  }
  throw new CliError(
    exitCodes.unexpected,
    `expected the bundle ${shortDigest(layer.digest)} of "${layer.name}" on this machine, found none; run this where a gateway has had it`,
  );
}

function shortDigest(digest: string): string {
  return digest.slice(0, "sha256:".length + 12);
}

function unusable(id: string, why: string): CliError {
  return new CliError(
    exitCodes.usage,
    `decision ${id.slice(0, 64)}: expected one that can be made a test of, found that ${why}`,
  );
}
