/**
 * The id of a message that was too long to keep, from its first and last bytes: SDKs write `id`
 * either before or after the long member. It only serves to fail that one call early; where neither
 * end shows an id, nothing is guessed.
 */
import type { OversizeFrame } from "./read-frames.ts";
import type { RequestId } from "./rpc.ts";

const id = String.raw`(\d{1,15}|"[^"\\]{1,256}")`;
const head = new RegExp(
  String.raw`^\s*\{(?:\s*"(?:jsonrpc|method)"\s*:\s*"[^"\\]{1,64}"\s*,)*\s*"id"\s*:\s*${id}\s*,`,
);
const tail = new RegExp(
  String.raw`,\s*"id"\s*:\s*${id}\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$`,
);

/** `undefined` where neither end shows the id of the message itself. */
export function findOversizeId(frame: OversizeFrame): RequestId | undefined {
  const text =
    head.exec(frame.head.toString("utf8"))?.[1] ?? tail.exec(frame.tail.toString("utf8"))?.[1];
  if (text === undefined) return undefined;
  return text.startsWith('"') ? text.slice(1, -1) : Number(text);
}
