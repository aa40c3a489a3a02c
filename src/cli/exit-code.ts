/**
 * Which exit code an error ends a command with. The table has every code that a command can end
 * with, so that a new one does not compile before somebody has decided; its types are all that is
 * imported of the stages.
 */
import type { AdminErrorCode } from "../admin/admin-error.ts";
import type { BundleErrorCode } from "../bundle/bundle-error.ts";
import type { ConfigErrorCode } from "../config/config-error.ts";
import type { ApprovalErrorCode } from "../policy/approvals/approval-error.ts";
import type { DatabaseErrorCode } from "../database/database.ts";
import type { DecisionErrorCode } from "../decision/decision-error.ts";
import { codeOf } from "../errors.ts";
import type { BlockErrorCode } from "../gateway/blocks/block-error.ts";
import type { HttpFrontErrorCode } from "../mcp/downstream/http/http-front-error.ts";
import type { OauthErrorCode } from "../mcp/upstream/oauth/oauth-error.ts";
import type { UpstreamErrorCode } from "../mcp/upstream/upstream-error.ts";
import type { UsageErrorCode } from "../policy/usage/usage-store.ts";
import type { RegoErrorCode } from "../rego/rego-error.ts";

/** Exit codes of every command. */
export const exitCodes = {
  done: 0,
  unexpected: 1,
  usage: 2,
  invalid: 3,
  testsFailed: 4,
  gateTripped: 5,
  denied: 6,
  unreachable: 7,
  unverified: 8,
  unauthorised: 9,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

type ErrorCode =
  | AdminErrorCode
  | BlockErrorCode
  | ApprovalErrorCode
  | BundleErrorCode
  | ConfigErrorCode
  | DatabaseErrorCode
  | DecisionErrorCode
  | HttpFrontErrorCode
  | OauthErrorCode
  | RegoErrorCode
  | UpstreamErrorCode
  | UsageErrorCode;

const exitCodeByCode: Readonly<Record<ErrorCode, ExitCode>> = {
  config_not_found: exitCodes.invalid,
  config_unreadable: exitCodes.invalid,
  config_world_writable: exitCodes.invalid,
  config_invalid: exitCodes.invalid,
  state_dir_insecure: exitCodes.invalid,
  state_dir_unusable: exitCodes.invalid,

  approval_unknown: exitCodes.unexpected,
  approval_closed: exitCodes.unexpected,
  approval_self: exitCodes.unauthorised,
  approval_not_approver: exitCodes.unauthorised,
  approval_channel_refused: exitCodes.unauthorised,
  approval_reason_invalid: exitCodes.usage,
  approval_store_unusable: exitCodes.unexpected,

  bundle_reference_invalid: exitCodes.usage,
  bundle_not_found: exitCodes.unreachable,
  bundle_unauthorized: exitCodes.unauthorised,
  bundle_unreachable: exitCodes.unreachable,
  bundle_protocol_invalid: exitCodes.unreachable,
  bundle_digest_mismatch: exitCodes.unverified,
  bundle_too_large: exitCodes.unverified,
  bundle_redirect_refused: exitCodes.unverified,
  bundle_realm_refused: exitCodes.unverified,
  bundle_credentials_unusable: exitCodes.unauthorised,
  bundle_artifact_unsupported: exitCodes.invalid,
  bundle_archive_invalid: exitCodes.invalid,
  bundle_archive_unsafe: exitCodes.unverified,
  bundle_manifest_invalid: exitCodes.invalid,
  bundle_without_policy: exitCodes.invalid,
  bundle_wasm_invalid: exitCodes.invalid,
  bundle_opaque: exitCodes.invalid,
  bundle_library_missing: exitCodes.invalid,
  bundle_library_mismatch: exitCodes.unverified,
  bundle_compile_failed: exitCodes.invalid,
  bundle_name_mismatch: exitCodes.unverified,
  bundle_kind_mismatch: exitCodes.unverified,
  bundle_unverified: exitCodes.unverified,
  bundle_downgrade: exitCodes.unverified,
  bundle_lock_invalid: exitCodes.invalid,
  bundle_lock_unwritable: exitCodes.unexpected,
  bundle_release_mismatch: exitCodes.unverified,
  bundle_release_invalid: exitCodes.invalid,
  bundle_trust_invalid: exitCodes.invalid,
  bundle_revoked: exitCodes.unverified,
  bundle_tests_failed: exitCodes.testsFailed,
  bundle_state_unusable: exitCodes.unexpected,
  bundle_storage_failed: exitCodes.unexpected,

  admin_listen_failed: exitCodes.unexpected,
  admin_unauthorized: exitCodes.unauthorised,
  admin_forbidden: exitCodes.unauthorised,
  admin_not_found: exitCodes.unexpected,
  admin_method_unknown: exitCodes.unexpected,
  admin_request_invalid: exitCodes.usage,
  admin_too_large: exitCodes.usage,

  blocks_unusable: exitCodes.unexpected,
  block_unknown: exitCodes.unexpected,
  block_invalid: exitCodes.usage,

  http_listen_failed: exitCodes.unexpected,
  http_needs_authorization: exitCodes.invalid,

  oauth_unreachable: exitCodes.unreachable,
  oauth_metadata_missing: exitCodes.unreachable,
  oauth_url_refused: exitCodes.unverified,
  oauth_response_too_large: exitCodes.unverified,
  oauth_metadata_invalid: exitCodes.unverified,
  oauth_issuer_mismatch: exitCodes.unverified,
  oauth_resource_mismatch: exitCodes.unverified,
  oauth_pkce_unsupported: exitCodes.unverified,
  oauth_client_missing: exitCodes.invalid,
  oauth_denied: exitCodes.unauthorised,
  oauth_token_invalid: exitCodes.unauthorised,
  oauth_login_timeout: exitCodes.unauthorised,
  oauth_callback_unavailable: exitCodes.unexpected,
  oauth_store_insecure: exitCodes.invalid,
  oauth_store_unusable: exitCodes.unexpected,

  upstream_start_failed: exitCodes.unreachable,
  upstream_list_failed: exitCodes.unreachable,
  upstream_unauthorized: exitCodes.unauthorised,

  rego_invalid: exitCodes.invalid,
  rego_timeout: exitCodes.unexpected,
  rego_crashed: exitCodes.unexpected,
  rego_closed: exitCodes.unexpected,
  rego_toolchain_missing: exitCodes.unexpected,
  rego_toolchain_corrupt: exitCodes.unexpected,

  database_unreachable: exitCodes.unreachable,
  database_locked: exitCodes.unexpected,
  database_unusable: exitCodes.unexpected,
  database_newer: exitCodes.unexpected,
  database_encoding: exitCodes.unexpected,
  migration_changed: exitCodes.unexpected,

  usage_store_unavailable: exitCodes.unreachable,
  budget_unknown: exitCodes.unexpected,

  audit_unavailable: exitCodes.unexpected,
  record_too_large: exitCodes.unexpected,
  spool_unusable: exitCodes.unexpected,
  decision_unknown: exitCodes.unexpected,
  decision_ambiguous: exitCodes.unexpected,
  invalid_time: exitCodes.usage,
  invalid_filter: exitCodes.usage,
  checkpoint_key_unusable: exitCodes.invalid,
  mask_key_unusable: exitCodes.invalid,
  unmask_refused: exitCodes.unauthorised,
  holds_unusable: exitCodes.unexpected,
  record_not_whole: exitCodes.unverified,
  hold_unknown: exitCodes.unexpected,
  dead_letter_unknown: exitCodes.unexpected,
  rebuild_refused: exitCodes.usage,
  export_failed: exitCodes.unreachable,
  package_unusable: exitCodes.unverified,
};

/** The exit code of anything that was thrown; 1 for what has no code of ours. */
export function exitCodeOf(thrown: unknown): ExitCode {
  const code = codeOf(thrown);
  return code !== undefined && isErrorCode(code) ? exitCodeByCode[code] : exitCodes.unexpected;
}

/** System errors have codes too, and `constructor` is one of nobody. */
function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(exitCodeByCode, code);
}
