/**
 * Why a bundle could not be activated. A failing decision is never one of these: it is a verdict.
 */
import { GatewayError } from "../../errors.ts";

export type EngineErrorCode =
  | "policy_module_invalid"
  | "policy_abi_unsupported"
  | "policy_builtin_unknown"
  | "policy_entrypoint_missing"
  | "policy_data_invalid"
  | "policy_memory_exceeded"
  | "policy_kind_mismatch"
  | "policy_activation_failed"
  | "policy_activation_timeout"
  | "policy_too_slow"
  | "policy_worker_lost";

/** A bundle that the engine refuses, or a worker that it cannot start. */
export class EngineError extends GatewayError<EngineErrorCode> {}
