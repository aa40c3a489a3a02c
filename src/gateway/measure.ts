/**
 * Step 3: the facts of the moment, and the input document made of them.
 */
import type { InputParts } from "../contract/policy-input.ts";
import { messageOf } from "../errors.ts";
import { buildCallInput } from "../policy/input/build-input.ts";
import type { Classification } from "../policy/input/classify.ts";
import type { Call, Target } from "./call.ts";
import type { GatewayParts } from "./parts.ts";

/** Counts the call in its conversation and builds its input; `undefined` where that is unreadable. */
export function measure(
  parts: GatewayParts,
  call: Call,
  { tool, server }: Target,
  classification: Classification,
): InputParts | undefined {
  const { argumentsJson, client } = call.request;
  const context = readContext(parts, server.id, Buffer.byteLength(argumentsJson), call.timeMs);
  if (context === undefined) return undefined;
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

function readContext(parts: GatewayParts, server: string, argsBytes: number, nowMs: number) {
  try {
    return parts.conversation.measure(server, argsBytes, nowMs);
  } catch (thrown) {
    parts.log.error({ reason: messageOf(thrown) }, "conversation state not read");
    return undefined;
  }
}
