/**
 * What a test lets the hostile server say, and what a client that can do everything declares.
 */
import type { Message } from "./http-gateway.ts";

export const ableToAll = {
  capabilities: {
    elicitation: { form: {}, url: {} },
    sampling: {},
    roots: {},
    extensions: { "io.modelcontextprotocol/tasks": {} },
  },
} as const;

export const allQuestions = ["sampling", "elicitation", "roots"] as const;

/** The line that answers the call with a result. */
export function answerLine(result: object): string {
  return hideWord(`{"jsonrpc":"2.0","id":$ID,"result":${JSON.stringify(result)}}`);
}

/** The word that policy denies is to be denied in what the server says, not in the script of it. */
export function hideWord(line: string): string {
  return line.replaceAll("FORBIDDEN", String.raw`\u0046ORBIDDEN`);
}

export function errorLine(error: object): string {
  return `{"jsonrpc":"2.0","id":$ID,"error":${JSON.stringify(error)}}`;
}

export function noticeLine(method: string, params: object): string {
  return JSON.stringify({ jsonrpc: "2.0", method, params });
}

export function requestLine(id: string | number, method: string, params: object = {}): string {
  return JSON.stringify({ jsonrpc: "2.0", id, method, params });
}

/** Arguments of the tool `script`. */
export function script(...lines: readonly (string | object)[]): { readonly lines: unknown } {
  return { lines };
}

export const words = { resultType: "complete", content: [{ type: "text", text: "done" }] };

/** Of an answer that asks. */
export function questionsIn(answer: Message): Record<string, Record<string, unknown>> {
  return Object(Object(answer["result"]).inputRequests);
}

export function elicit(params: object): object {
  return { method: "elicitation/create", params };
}

export function form(properties: object, message = "Please"): object {
  return elicit({ mode: "form", message, requestedSchema: { type: "object", properties } });
}

/** A result of a modern server that asks this. */
export function asking(inputRequests: object, more: object = {}): object {
  return { resultType: "input_required", inputRequests, ...more };
}
