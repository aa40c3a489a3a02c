/**
 * Reads obligations: when the call is decided, so that one that nobody can carry out denies it, and
 * again when there is something to do.
 */
import type { GatewayConfig } from "../../config/config.ts";
import type { ActionType } from "../../contract/policy-input.ts";
import { readDuty } from "../../policy/enforcement/obligations/read-duty.ts";
import type { DutyReader } from "./open-duties.ts";
import { obligationsOf } from "./open-duties.ts";

/** Their result is the client's own answer; there is nothing to keep from it. */
const questions: ReadonlySet<ActionType> = new Set(["sampling", "elicitation", "roots_list"]);

/** A reader that knows the operator's channels. */
export function createDutyReader({ notify }: Pick<GatewayConfig, "notify">): DutyReader {
  const channels = new Set(notify.map(({ name }) => name));
  return {
    problemOf: (type, obligation) => {
      if (questions.has(type)) return "expected none on what a server asks of the client";
      const reading = readDuty(obligation, channels);
      return reading.ok ? undefined : reading.problem;
    },
    dutiesOf: (verdicts) =>
      obligationsOf(verdicts).flatMap((obligation) => {
        const reading = readDuty(obligation, channels);
        return reading.ok ? [reading.duty] : [];
      }),
  };
}
