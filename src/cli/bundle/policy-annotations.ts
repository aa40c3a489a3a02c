/**
 * What the authors of a bundle wrote about its policy: the METADATA comments of the sources that it
 * ships.
 */
import type { Bundle } from "../../contract/bundle.ts";
import type { PolicyInspection } from "../../rego/answers.ts";
import type { CliIo } from "../io.ts";
import { printable } from "../printable.ts";
import { withToolchain } from "../with-toolchain.ts";
import { parseBaseDocument } from "./build-sources.ts";

/**
 * The annotations in the order of the files; none for a bundle without sources. `null`, with a
 * warning, where the sources of somebody else's bundle are not what the toolchain takes.
 */
export async function policyAnnotations(
  io: CliIo,
  { sources, dataJson, metadata, kind }: Bundle,
): Promise<PolicyInspection["annotations"] | null> {
  if (sources.size === 0) return [];
  const inspected = await withToolchain((toolchain) =>
    toolchain.inspect({
      modules: Object.fromEntries(sources),
      data: parseBaseDocument(dataJson),
      manifest: { metadata },
      layer: kind,
    }),
  );
  if (inspected.ok) return inspected.value.annotations;
  const { problemText } = await import("../../rego/problem-text.ts");
  io.err("warning: the annotations of the policy are not read, its sources have problems:");
  for (const line of inspected.problems.flatMap((problem) => problemText(problem).split("\n"))) {
    io.err(printable(line));
  }
  return null;
}
