/**
 * What only a call knows about what is secret in it: its tool's input schema, and what the bundle of
 * its server wants hidden.
 */
import type { LogMask } from "../../contract/log-mask.ts";
import { readLogMasks } from "../../contract/log-mask.ts";
import type { AdmissionRecord } from "../../contract/record.ts";
import type { GatewayParts } from "../parts.ts";
import type { Target } from "./action.ts";

const known = new WeakMap<object, readonly LogMask[]>();
/** What a bundle says that nobody can read hides all that it could hide. */
const everything: readonly LogMask[] = ["args", "input_responses", "message", "task"].map(
  (name) => ({ op: "upsert", path: ["input", "action", name, "*"] }),
);

/** `undefined` of what is for nothing that exists. */
export function maskHints(
  { policies }: Pick<GatewayParts, "policies">,
  target: Target | undefined,
): AdmissionRecord["hints"] {
  if (target === undefined) return undefined;
  const { server, tool } = target;
  const layers = policies
    .layers()
    .filter(({ kind, name }) => kind === "server" && name === server.id);
  const masks = layers.flatMap(({ bundle }) =>
    bundle === undefined ? [] : masksOf(bundle.metadata),
  );
  return { argumentsSchema: tool?.inputSchema, masks };
}

function masksOf(metadata: Readonly<Record<string, unknown>>): readonly LogMask[] {
  const found = known.get(metadata);
  if (found !== undefined) return found;
  const reading = readLogMasks(metadata["masks"]);
  const masks = reading.ok ? reading.masks : everything;
  known.set(metadata, masks);
  return masks;
}
