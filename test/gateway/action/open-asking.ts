/**
 * A legacy server that asks in the middle of its calls, before a modern client whose calls are held.
 */
import type { ActionReply, ActionRequest } from "../../../src/gateway/gateway.ts";
import type { ClientAnswer } from "../../../src/mcp/upstream/upstream-connection.ts";
import type { Answer } from "../fake-server.ts";
import { askIn, text, tool } from "../fake-server.ts";
import { modernClient, openGateway, readReply, stateOf } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";

export const config = { to_client: ["sampling", "elicitation", "roots"] };
export const able = { sampling: {}, elicitation: { form: {}, url: {} }, roots: {} };
export const accept = { action: "accept", content: { n: 1 } };

/** A legacy server that asks these questions one after the other in each call. */
export function openAsking(
  policies: TestPolicies,
  messages: readonly string[] = ["which?"],
  answer?: Answer,
  settings: object = {},
) {
  const answers: ClientAnswer[] = [];
  const ask: Answer = async (wanted) => {
    for (const message of messages) {
      answers.push(await askIn(wanted, "elicitation/create", { message }));
    }
    return text("done");
  };
  const gateway = openGateway({
    servers: { crm: { tools: [tool("get")], config, answer: answer ?? ask } },
    policies,
    settings,
  });
  const client = modernClient({ capabilities: able });
  const call = (more: Partial<ActionRequest> = {}) => gateway.call("crm__get", { client, ...more });
  const sent = () => gateway.servers["crm"]?.sent ?? [];
  return { ...gateway, answers, client, call, sent };
}

/** The retry that answers every question of a reply. */
export function retryOf(reply: ActionReply, response: object = accept): Partial<ActionRequest> {
  const { inputRequests } = readReply(reply);
  const keys = Object.keys(Object(inputRequests));
  const responses = Object.fromEntries(keys.map((key) => [key, response]));
  return { requestState: stateOf(reply), inputResponsesJson: JSON.stringify(responses) };
}
