/**
 * Reads the params of a `tools/call` into the few fields that exist for policy and upstream. What is
 * not passed on is named, so that the record shows it.
 */
import type { JsonObject } from "../../contract/json.ts";
import { isJsonObject } from "../../contract/json.ts";

export type CallReading =
  | { readonly ok: true; readonly call: CallParams }
  | { readonly ok: false; readonly message: string };

export interface CallParams {
  readonly name: string;
  readonly argumentsJson: string;
  readonly progressToken: string | number | undefined;
  readonly traceparent: string | undefined;
  readonly dropped: readonly string[];
}

const passedParams: ReadonlySet<string> = new Set(["name", "arguments", "_meta"]);
const envelopePrefix = "io.modelcontextprotocol/";
const traceparentPattern = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/;
const maxNameLength = 256;

/** `argumentsJson` is the normalised text that the strict parse captured. */
export function readCall(params: JsonObject, argumentsJson: string | undefined): CallReading {
  const { name, arguments: args, _meta: meta = {} } = params;
  if (typeof name !== "string" || name.length > maxNameLength) {
    return refuse(`expected params.name to be a string of at most ${maxNameLength} characters`);
  }
  if (args !== undefined && !isJsonObject(args))
    return refuse("expected params.arguments to be an object");
  if (!isJsonObject(meta)) return refuse("expected params._meta to be an object");
  const { progressToken, traceparent } = meta;
  if (
    progressToken !== undefined &&
    typeof progressToken !== "string" &&
    !Number.isSafeInteger(progressToken)
  ) {
    return refuse("expected params._meta.progressToken to be a string or an integer");
  }
  return {
    ok: true,
    call: {
      name,
      argumentsJson: argumentsJson ?? "{}",
      progressToken: isToken(progressToken) ? progressToken : undefined,
      traceparent: isTraceparent(traceparent) ? traceparent : undefined,
      dropped: [...droppedParams(params), ...droppedMeta(meta)],
    },
  };
}

function refuse(message: string): CallReading {
  return { ok: false, message };
}

function isToken(value: unknown): value is string | number {
  return typeof value === "string" || typeof value === "number";
}

function isTraceparent(value: unknown): value is string {
  return typeof value === "string" && traceparentPattern.test(value);
}

function droppedParams(params: JsonObject): readonly string[] {
  return Object.keys(params)
    .filter((key) => !passedParams.has(key))
    .map((key) => `/${key}`);
}

function droppedMeta(meta: JsonObject): readonly string[] {
  return Object.keys(meta)
    .filter((key) => key !== "progressToken" && !key.startsWith(envelopePrefix))
    .filter((key) => key !== "traceparent" || !isTraceparent(meta[key]))
    .map((key) => `/_meta/${key}`);
}
