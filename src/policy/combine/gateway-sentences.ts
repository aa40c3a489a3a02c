/**
 * What the gateway's own codes mean to an agent: one sentence each, as the title of a rule would
 * say it. `docs/errors.md` says the same to operators.
 */
import type { GatewayCode } from "../../contract/layer.ts";

export const gatewaySentences: Readonly<Record<GatewayCode, string>> = {
  approval_denied: "A person was asked to approve this call and denied it.",
  approval_limit:
    "Too many calls wait for a person already. Wait for those, or withdraw some, before you ask again.",
  approval_required: "A person has to approve this call first.",
  arguments_invalid: "The arguments are not what the tool's input schema asks for.",
  audit_unavailable:
    "The decision could not be recorded, so no call is made. Tell the operator of the gateway.",
  blocked:
    "The operator of the gateway has stopped this agent, user, server or tool. Do not try again or another way; tell the person you work for.",
  budget_exhausted: "The budget for such calls is used up.",
  conversation_limit:
    "Too many conversations of this agent are remembered already. Go on in one of those, or tell the operator of the gateway.",
  hidden_characters: "The server's text holds invisible or control characters.",
  invalid_cost: "The cost of this call could not be computed from its arguments.",
  malformed_request: "The request could not be read.",
  no_decision: "A policy has no answer for this call. Tell the operator of the gateway.",
  no_policy:
    "There is no active policy for this server or of the organisation, so nothing is allowed. Tell the operator of the gateway.",
  no_rule_allows:
    "No rule of this server's policy grants the call. Use another tool, or ask the server's owner to grant it.",
  not_offered_to_client: "The operator does not let this server ask the client for that.",
  outside_capabilities: "The agent may not be in this server, tool or scope.",
  policy_error: "A policy failed on this call. Tell the operator of the gateway.",
  policy_timeout:
    "A policy took too long. Try once more with smaller arguments, then tell the operator of the gateway.",
  release_mismatch:
    "The server that runs is not the one that was released with this policy. Tell the operator of the gateway.",
  result_too_large: "What came back is larger than the operator allows.",
  result_withheld: "What came back may not be shown, and could not be changed so that it may.",
  schema_unusable:
    "The tool's input schema cannot be used to check arguments. Tell the operator of the gateway.",
  state_unavailable:
    "Something that the gateway has to know about this call could not be read or kept. Tell the operator of the gateway.",
  tool_changed:
    "The tool's definition is not the one that was approved. Use another tool, or ask the operator of the gateway to look at it and pin it again.",
  tool_hidden: "The agent may not see this tool.",
  unknown_obligation:
    "A policy asks for something that the gateway cannot do. Tell the operator of the gateway.",
  unknown_tool: "There is no such tool.",
  unsafe_elicitation:
    "A server may not ask for a secret in a form, nor send people to a page without https.",
};
