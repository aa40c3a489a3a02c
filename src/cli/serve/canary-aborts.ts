/**
 * Where it is kept that a canary is out: with the history of its source, so that other gateways of the
 * state folder, the next start and the commands find it there. It is on record before it is kept.
 */
import { newId, systemClock } from "../../config/ambient.ts";
import type { DecisionLog } from "../../contract/record.ts";
import type { CanaryAborts, CanaryPlace } from "../../gateway/canaries/running-canary.ts";

export interface CanaryAbortsSetting {
  readonly stateDir: string;
  readonly tenant: string;
  readonly decisionLog: Pick<DecisionLog, "note">;
}

/** Reads and writes the histories of a state folder. */
export function createCanaryAborts(setting: CanaryAbortsSetting): CanaryAborts {
  const place = { stateDir: setting.stateDir, clock: systemClock };
  const known = new Map<string, { readonly stamp: string; readonly digest: string | undefined }>();
  const noted = new Set<string>();
  return {
    read: async (canary) => {
      const { historyStamp, readHistory } = await import("../../bundle/life/bundle-history.ts");
      const key = await keyOf(canary);
      const stamp = await historyStamp(place, key);
      const last = known.get(canary.name);
      if (last?.stamp === stamp) return last.digest;
      const digest = (await readHistory(place, key)).aborted?.digest;
      known.set(canary.name, { stamp, digest });
      return digest;
    },
    keep: async (canary, { digest, timeMs, why }) => {
      const { changeHistory, readHistory } = await import("../../bundle/life/bundle-history.ts");
      const { abort } = await import("../../bundle/life/history-changes.ts");
      const key = await keyOf(canary);
      const { aborted, active } = await readHistory(place, key);
      // Another gateway was quicker.
      if (aborted?.digest === digest) return;
      const name = `${canary.name} ${digest} ${timeMs}`;
      if (!noted.has(name)) await note(setting, canary, { digest, why, timeMs }, active?.revision);
      noted.add(name);
      const at = new Date(timeMs).toISOString();
      await changeHistory(place, key, (before) => abort(before, { digest, at, by, why }));
    },
  };
}

const by = "gateway";

async function keyOf({ name, reference }: CanaryPlace) {
  const { historyKey } = await import("../bundle/policy-place.ts");
  return historyKey(name, reference);
}

async function note(
  { decisionLog, tenant }: CanaryAbortsSetting,
  { name: layer, kind: layerKind, reference }: CanaryPlace,
  { digest: previous, why, timeMs }: Parameters<CanaryAborts["keep"]>[1],
  revision = "",
): Promise<void> {
  const about = { decisionId: newId(), timeMs, tenant, layer, layerKind, reference };
  const change = {
    event: "withdrawn",
    code: "canary_aborted",
    digest: undefined,
    previous,
  } as const;
  const rest = { revision, by, why, signers: [] };
  await decisionLog.note({ kind: "activation", ...about, ...change, ...rest });
}
