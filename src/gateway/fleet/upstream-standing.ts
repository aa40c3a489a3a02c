/**
 * How one upstream server is doing, for whoever watches.
 */
import type { SupervisorStatus } from "../../mcp/upstream/supervise/supervisor-options.ts";

export interface UpstreamStanding {
  /** Config id. */
  readonly server: string;
  readonly status: SupervisorStatus;
}
