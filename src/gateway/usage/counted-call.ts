/**
 * What counters have to know of an action and of what it is for. It is a part of what the steps of an
 * action hand on, so that counting knows nothing of those steps.
 */
import type { ServerConfig } from "../../config/config.ts";
import type { PolicyAction } from "../../contract/policy-input.ts";
import type { Principal } from "../../contract/principal.ts";

/** One request that may cost something. */
export interface CountedAction {
  readonly decisionId: string;
  readonly principal: Principal;
  /** Members of `input.action` as they were sent, by name. */
  readonly sent: Readonly<Record<string, string>>;
  /** Wall clock. */
  readonly timeMs: number;
}

/** What it is for. */
export interface CountedTarget {
  readonly server: Pick<ServerConfig, "id">;
  /** Tool or prompt name, URI, task id. */
  readonly name: string;
  /** Of a tool call, and of what is done with its task. */
  readonly tool: { readonly name: string } | undefined;
  readonly action: Pick<PolicyAction, "type">;
}
