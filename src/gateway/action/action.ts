/**
 * The nouns that the steps of an action hand on to each other.
 */
import type { ServerConfig } from "../../config/config.ts";
import type { LayerVerdict } from "../../contract/layer.ts";
import type { ActionType, InputParts, PolicyAction } from "../../contract/policy-input.ts";
import type { Principal } from "../../contract/principal.ts";
import type { ClientClaim } from "../../contract/policy-input.ts";
import type { CatalogTool } from "../../mcp/catalog/catalog-item.ts";
import type { ApprovalGrant } from "../../policy/approvals/approval-grant.ts";
import type { CombinedDecision } from "../../policy/combine.ts";
import type { Classification } from "../../policy/input/classify.ts";

/** One request that is decided, in either direction, with its identity and its one time. */
export interface Action {
  readonly type: ActionType;
  readonly principal: Principal;
  readonly claim: ClientClaim;
  readonly protocolVersion: string;
  /** What the client called it: exposed name or URI; of a question the method. */
  readonly asked: string;
  /** Members of `input.action` as they were sent: `args`, `input_responses`, `task`, `message`. */
  readonly sent: Readonly<Record<string, string>>;
  /** What of the request is not passed on, as JSON pointers into `params`. */
  readonly dropped: readonly string[];
  readonly decisionId: string;
  /** What people agreed to, where it runs on that. */
  readonly approval?: ApprovalGrant | undefined;
  /** Wall clock; the time of the decision in input, policy and record. */
  readonly timeMs: number;
  /** Monotonic. */
  readonly startedMs: number;
  /** W3C trace context of the request, where it has one. */
  readonly traceparent?: string | undefined;
}

/** What an action is for, found in the catalogue. */
export interface Target {
  readonly server: ServerConfig;
  /** Exact, as its server knows it: tool or prompt name, URI, task id. */
  readonly name: string;
  /** Of a tool call, and of what is done with its task. */
  readonly tool: CatalogTool | undefined;
  /** What policy judges, without what was sent. */
  readonly action: PolicyAction;
  /** What has to be visible for this action: itself, or what it refers to. */
  readonly seenAs: PolicyAction;
}

/** What policy said, and the input it said it to. */
export interface Decided {
  readonly combined: CombinedDecision;
  readonly verdicts: readonly LayerVerdict[];
  readonly inputJson: string;
  /** What the action touches, after the server's bundle added to the operator's floor. */
  readonly brings: Classification;
  /** What it was decided on, for the question about its result; undefined where nobody was asked. */
  readonly input?: InputParts | undefined;
  /** OPA's `nd_builtin_cache`; undefined where policy asked nothing that could change. */
  readonly ndBuiltinCacheJson?: string | undefined;
  readonly policyMs: number;
  /** Of each layer that answered, by its name. */
  readonly layerMs?: Readonly<Record<string, number>> | undefined;
}
