/**
 * Step 3: the facts of the moment, and the input document made of them.
 */
import type { InputParts } from "../contract/policy-input.ts";
import { buildCallInput } from "../policy/input/build-input.ts";
import type { Classification } from "../policy/input/classify.ts";
import type { Call, Target } from "./call.ts";
import type { GatewayParts } from "./parts.ts";

/** Counts the call in its conversation and builds its input. */
export function measure(
  parts: GatewayParts,
  call: Call,
  { tool, server }: Target,
  classification: Classification,
): InputParts {
  const { argumentsJson, client } = call.request;
  const context = parts.conversation.measure(server.id, argumentsJson.length, call.timeMs);
  return buildCallInput({
    principal: parts.config,
    client,
    action: {
      server: server.id,
      tool: tool.name,
      argsJson: argumentsJson,
      annotations: tool.annotations,
      definition_digest: tool.digest,
      destination: { region: server.region, external: server.external },
    },
    classification,
    context: context.everyone,
    serverContext: context.own,
    timeMs: call.timeMs,
  });
}
