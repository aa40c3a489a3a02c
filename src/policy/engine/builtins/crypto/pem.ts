/**
 * PEM as Go reads it: blocks wherever a line begins one, with text of any kind around them, and
 * Base64 with line ends in it.
 */

export interface PemBlock {
  /** `CERTIFICATE`, `PRIVATE KEY`, … */
  readonly type: string;
  readonly bytes: Buffer;
}

const begin = "-----BEGIN";
const block =
  /(?<![^\n])-----BEGIN ([^\n]*?)-----[ \t\r]*\n((?:[^\n:]*:[^\n]*\n)*)([^-:]*?)-----END \1-----[ \t\r]*(?:\n|$)/g;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** True where a text begins as PEM does. */
export function isPem(text: string): boolean {
  return text.startsWith(begin);
}

/** The blocks of a text, and what comes after the last. */
export function readPem(text: string): { blocks: readonly PemBlock[]; rest: string } {
  const blocks: PemBlock[] = [];
  let end = 0;
  for (const match of text.matchAll(block)) {
    const [whole, type = "", , content = ""] = match;
    const bytes = decodeBase64(content.replace(/[ \t]/g, ""));
    if (bytes === undefined) continue;
    blocks.push({ type, bytes });
    end = match.index + whole.length;
  }
  return { blocks, rest: text.slice(end) };
}

/** Padded standard Base64, in which line ends mean nothing; undefined for anything else. */
export function decodeBase64(text: string): Buffer | undefined {
  const joined = text.replace(/[\r\n]/g, "");
  return base64.test(joined) ? Buffer.from(joined, "base64") : undefined;
}

/** The bytes that Base64 stands for, for those who give up where there are none. */
export function expectBase64(text: string): Buffer {
  const bytes = decodeBase64(text);
  if (bytes === undefined) throw new Error("expected base64, found other text");
  return bytes;
}
