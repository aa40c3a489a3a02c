/**
 * Texts in and out of an instance's memory. Every address comes from the policy and is not
 * believed: what lies outside of memory, has no end or is not UTF-8 is an error, never a guess.
 */
import type { PolicyExports } from "./policy-exports.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const maxTextBytes = 8 * 1024 * 1024;

/** The NUL-terminated text at an address. */
export function readText(memory: WebAssembly.Memory, address: number): string {
  const bytes = new Uint8Array(memory.buffer);
  const end = address === 0 ? -1 : bytes.indexOf(0, address);
  if (end < 0) throw new Error("expected the address of a text, found another address");
  if (end - address > maxTextBytes) {
    throw new Error(`expected a text of at most ${maxTextBytes} bytes, found ${end - address}`);
  }
  return utf8.decode(bytes.subarray(address, end));
}

/**
 * Puts bytes of JSON into memory and parses them there.
 *
 * @returns The value's address; 0 where the policy's parser found no JSON.
 */
export function parseInto(
  memory: WebAssembly.Memory,
  policy: PolicyExports,
  bytes: Uint8Array,
): number {
  const address = policy.opa_malloc(bytes.length);
  new Uint8Array(memory.buffer).set(bytes, address);
  return policy.opa_value_parse(address, bytes.length);
}
