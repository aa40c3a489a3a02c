/**
 * The input of a call of nothing in particular: of no server and no tool, with no arguments, in a
 * conversation that has not begun. What a bundle says about it, it says about any call.
 */
import type { InputParts } from "../../contract/policy-input.ts";
import type { Actor } from "./build-input.ts";
import { buildCallInput } from "./build-input.ts";

/** It, for these people at this time. */
export function nothingInParticular(actor: Actor, timeMs: number): InputParts {
  const context = {
    conversation_id: "",
    turn_count: 0,
    cumulative_tokens: 0,
    session_age_seconds: 0,
    data_classes_seen: [],
    labels_seen: [],
    servers_called: [],
  };
  return buildCallInput({
    actor,
    client: { name: "", version: "" },
    action: {
      type: "tool_call",
      direction: "to_server",
      server: "",
      about: { tool: "" },
      destination: { region: null, external: false },
    },
    sent: { args: "{}" },
    classification: { dataClasses: [], labels: [] },
    context,
    serverContext: context,
    timeMs,
  });
}
