/**
 * What hides secrets, as the configuration wants it: of records before they are kept, and of the lines
 * of a log. The detectors are those that policies are told of.
 */
import { systemClock } from "../config/ambient.ts";
import type { GatewayConfig } from "../config/config.ts";
import type { Detectors } from "../decision/masking/detect-in-text.ts";
import { maskKey } from "../decision/masking/mask-key.ts";
import { MaskTokens } from "../decision/masking/mask-token.ts";
import { RecordMask } from "../decision/masking/record-mask.ts";
import { lineScrubber, textScrubber } from "../decision/masking/scrub-line.ts";
import { recipientKeys } from "../decision/masking/unmask-keys.ts";
import { findSensitive } from "../policy/input/detect/find-sensitive.ts";
import { kindsIn } from "../policy/input/detect/kinds-in.ts";

const detectors: Detectors = { find: findSensitive, kindsIn };
const logKinds = ["credential", "private_key"] as const;

/** Opens it; throws `mask_key_unusable`. */
export async function openRecordMask(
  { decisions, secrets = [] }: Pick<GatewayConfig, "decisions" | "secrets">,
  stateDir: string,
): Promise<RecordMask> {
  const { masking } = decisions;
  return new RecordMask({
    tokens: new MaskTokens(await maskKey(stateDir, masking)),
    detectors,
    kinds: masking.detectors,
    paths: masking.paths,
    usesSchema: masking.usesSchema,
    secrets,
    recipients: recipientKeys(masking),
    monotonicMs: () => systemClock.monotonicMs(),
  });
}

/**
 * Takes keys and tokens out of what a person wrote, and the secrets of a configuration where it is
 * read: a reason is kept for long and shown to many.
 */
export function openReasonScrubber(secrets: readonly string[] = []): (text: string) => string {
  const scrub = textScrubber({ detectors, kinds: logKinds, secrets });
  return (text) => scrub(text, undefined);
}

/** For a log; the secrets of a configuration where there is one already. */
export function openLineScrubber(secrets: readonly string[] = []): (line: string) => string {
  return lineScrubber({ detectors, kinds: logKinds, secrets });
}
