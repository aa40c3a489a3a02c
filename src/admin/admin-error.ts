/**
 * Errors of the admin interface.
 */
import { GatewayError } from "../errors.ts";

export type AdminErrorCode =
  /** The address of `admin.http` cannot be listened on. */
  | "admin_listen_failed"
  /** No token, or one that nobody handed out. */
  | "admin_unauthorized"
  /** The token's roles do not go so far, or a browser asks. */
  | "admin_forbidden"
  /** No such path. */
  | "admin_not_found"
  /** The path is known with other methods. */
  | "admin_method_unknown"
  /** The request is malformed. */
  | "admin_request_invalid"
  /** The body is over the limit. */
  | "admin_too_large";

/** Thrown by `admin/`, and answered as JSON with the status of its code. */
export class AdminError extends GatewayError<AdminErrorCode> {}
