/**
 * JSON text as a compiled policy can read it. OPA's parser in WebAssembly reads `\u` escapes of
 * surrogates as other characters than JSON means, so pairs become the character that they are, and
 * half a pair, which is no character, is refused here instead of being misread there.
 */

const encoder = new TextEncoder();
/** An escape of any kind, so that the backslash of one is never taken for the start of another. */
const escape = /\\(?:u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})|(ud[89a-f][0-9a-f]{2})|.)/gisu;

/**
 * UTF-8 bytes of JSON text.
 *
 * @throws Error where the text holds half a character, as such or as an escape.
 */
export function encodeJsonText(text: string): Uint8Array {
  if (!text.isWellFormed()) throw halfCharacter();
  return encoder.encode(text.includes("\\u") ? withoutSurrogateEscapes(text) : text);
}

function withoutSurrogateEscapes(text: string): string {
  return text.replace(escape, (whole: string, high?: string, low?: string, half?: string) => {
    if (half !== undefined) throw halfCharacter();
    if (high === undefined || low === undefined) return whole;
    return String.fromCharCode(Number.parseInt(high, 16), Number.parseInt(low, 16));
  });
}

function halfCharacter(): Error {
  return new Error("expected well-formed text, found half a character");
}
