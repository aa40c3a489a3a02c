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
  | "checkpoint_key_unusable";

/** Thrown by `decision/`; never holds arguments or results. */
export class DecisionError extends GatewayError<DecisionErrorCode> {}
