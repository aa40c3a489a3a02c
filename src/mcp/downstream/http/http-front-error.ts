/**
 * Why the HTTP front does not start.
 */
import { GatewayError } from "../../../errors.ts";

export type HttpFrontErrorCode =
  /** The address cannot be listened on. */
  | "http_listen_failed"
  /** Others than this machine could reach a gateway that asks nobody for a token. */
  | "http_needs_authorization";

/** The front cannot serve at the address it was given. */
export class HttpFrontError extends GatewayError<HttpFrontErrorCode> {}
