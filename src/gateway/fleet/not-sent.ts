/**
 * Replies to requests that are sent to no server.
 */
import type { UpstreamReply } from "../../mcp/upstream/upstream-connection.ts";

/** There is no such server. */
export const notThere: UpstreamReply = {
  kind: "failed",
  code: "upstream_unavailable",
  message: "it is not configured, or disabled",
};

/** The server is turned to another release. */
export const isMoved: UpstreamReply = {
  kind: "failed",
  code: "upstream_unavailable",
  message: "it is being moved to another release; repeat the request",
};
