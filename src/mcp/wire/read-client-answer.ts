/**
 * The content of a client's answer to a request of the gateway's (sampling, elicitation, roots).
 * It is as strict as the reading of requests: exactly one of `result` and `error`, nothing beside
 * them, and the text of a result is the one that policy judges and that goes upstream.
 */
import type { Json, JsonObject } from "../../contract/json.ts";
import { isJsonObject } from "../../contract/json.ts";

export type ClientAnswer =
  /** `resultJson` is the normalised text of the result, key order as sent. */
  | { readonly kind: "result"; readonly resultJson: string }
  | {
      readonly kind: "error";
      readonly code: number;
      readonly message: string;
      readonly data?: Json;
    };

const responseMembers: ReadonlySet<string> = new Set(["jsonrpc", "id", "result", "error"]);
const errorMembers: ReadonlySet<string> = new Set(["code", "message", "data"]);

/**
 * Reads the answer in a response's envelope; `resultJson` is the normalised text of its `result`.
 *
 * @returns What was expected instead, where it is none; without anything of the message.
 */
export function readClientAnswer(
  envelope: JsonObject,
  resultJson: string | undefined,
): ClientAnswer | string {
  const stranger = Object.keys(envelope).some((member) => !responseMembers.has(member));
  if (stranger) return "expected a response with no members of other names";
  if ("result" in envelope === "error" in envelope) {
    return 'expected a response with either "result" or "error"';
  }
  if ("error" in envelope) return readError(envelope["error"]);
  if (!isJsonObject(envelope["result"]) || resultJson === undefined) {
    return 'expected "result" to be an object';
  }
  return { kind: "result", resultJson };
}

function readError(error: Json | undefined): ClientAnswer | string {
  if (!isJsonObject(error)) return 'expected "error" to be an object';
  const { code, message, data } = error;
  if (Object.keys(error).some((member) => !errorMembers.has(member))) {
    return 'expected "error" with no members but "code", "message" and "data"';
  }
  if (typeof code !== "number" || !Number.isSafeInteger(code)) {
    return 'expected "error.code" to be an integer';
  }
  if (typeof message !== "string") return 'expected "error.message" to be a string';
  return { kind: "error", code, message, ...(data === undefined ? {} : { data }) };
}
