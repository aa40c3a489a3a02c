/**
 * The nouns that the steps of a call hand on to each other.
 */
import type { ServerConfig } from "../config/config.ts";
import type { LayerVerdict } from "../contract/layer.ts";
import type { CatalogTool } from "../mcp/catalog/catalog.ts";
import type { Upstream } from "../mcp/upstream/connect-upstream.ts";
import type { CombinedDecision } from "../policy/combine.ts";
import type { Classification } from "../policy/input/classify.ts";
import type { CallRequest } from "./gateway.ts";

/** One call with its identity and its one time. */
export interface Call {
  readonly request: CallRequest;
  readonly decisionId: string;
  /** Wall clock; the time of the decision in input, policy and record. */
  readonly timeMs: number;
  /** Monotonic. */
  readonly startedMs: number;
}

/** What a call is for, found in the catalogue. */
export interface Target {
  readonly tool: CatalogTool;
  readonly server: ServerConfig;
  readonly upstream: Upstream;
}

/** What policy said, and the input it said it to. */
export interface Decided {
  readonly combined: CombinedDecision;
  readonly verdicts: readonly LayerVerdict[];
  readonly inputJson: string;
  /** What the call touches, after the server's bundle added to the operator's floor. */
  readonly brings: Classification;
  readonly policyMs: number;
}
