/**
 * The words of a replay: what became of a recorded decision under the candidate, and why one could
 * not be asked about again.
 */

/** In the order in which they are printed. */
export const replayBuckets = [
  /** Happened, and would be refused. */
  "newly_denied",
  /** Was refused, and would happen. */
  "newly_allowed",
  /** Would wait for people, and did not. */
  "now_held",
  /** Waited for people, and would happen. */
  "no_longer_held",
  /** The same, for other reasons. */
  "reason_only",
  /** The same, with something else done to the result. */
  "obligations_only",
  /** The same, with other classes or labels for the conversation. */
  "labels_only",
  /** The candidate threw, did not come to an end, or answered in no known shape. */
  "error",
  /** The same, in more than half of the deadline. */
  "slower",
  "not_replayable",
] as const;
export type ReplayBucket = (typeof replayBuckets)[number];

/** Why a recorded decision cannot be asked about again; the codes of `not_replayable`. */
export type NotReplayable =
  /** Its payload was pruned. */
  | "pruned"
  /** Its record cannot be read. */
  | "unreadable"
  /** It was refused before any layer was asked. */
  | "refused_before_policy"
  /** The layer that is replaced was not among those that decided. */
  | "other_layers"
  /** What the layers said is not what was decided, with the configuration of today. */
  | "other_configuration"
  /** The input was masked, and nothing shows that this did not matter. */
  | "masked"
  /** It was hidden and would not be: nobody was asked about the call itself. */
  | "was_hidden"
  /** Other layers would have seen other classes or labels. */
  | "other_classes";
