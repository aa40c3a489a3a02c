/**
 * Why there is no connection to an upstream server, or no list of it.
 */
import { GatewayError } from "../../errors.ts";

export type UpstreamErrorCode =
  | "upstream_start_failed"
  | "upstream_unauthorized"
  | "upstream_list_failed";

/** A server that could not be started or reached, wants authorization, or did not list. */
export class UpstreamError extends GatewayError<UpstreamErrorCode> {}
