/**
 * Errors of the decision record.
 */
import { GatewayError } from "../errors.ts";

export type DecisionErrorCode =
  /** The record could not be made durable; the call may not leave. */
  | "audit_unavailable"
  /** The record is larger than the spool takes; the call may not leave. */
  | "record_too_large"
  /** The spool folder cannot be created or written. */
  | "spool_unusable"
  /** No decision has this id. */
  | "decision_unknown"
  /** Several decisions begin with this id. */
  | "decision_ambiguous"
  /** A time argument is neither RFC 3339 nor a duration. */
  | "invalid_time"
  /** A filter or an id has a form that no decision can have. */
  | "invalid_filter"
  /** A key that signs or verifies checkpoints cannot be opened. */
  | "checkpoint_key_unusable"
  /** A key of masking has not the length that it needs. */
  | "mask_key_unusable"
  /** Originals are not there, or another key sealed them. */
  | "unmask_refused"
  /** The legal holds cannot be read, so that nothing may be pruned. */
  | "holds_unusable"
  /** What is to be shown is no record, or what is to be pruned not what was written. */
  | "record_not_whole"
  /** No hold has this id. */
  | "hold_unknown"
  /** No dead letter has this id. */
  | "dead_letter_unknown"
  /** An export was not taken, or cannot go on. */
  | "export_failed"
  /** A package of the record cannot be made or read. */
  | "package_unusable"
  /** The store is the record, and cannot be made anew from a spool. */
  | "rebuild_refused";

/** Thrown by `decision/`; never holds arguments or results. */
export class DecisionError extends GatewayError<DecisionErrorCode> {}
