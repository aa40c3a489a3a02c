/**
 * Bytes as text, the way Go prints them: each byte that is no UTF-8 becomes one U+FFFD.
 */

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Decodes UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  return tryDecode(bytes) ?? decodeByPieces(bytes);
}

function tryDecode(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

function decodeByPieces(bytes: Uint8Array): string {
  let text = "";
  let offset = 0;
  while (offset < bytes.length) {
    const length = lengthFrom(bytes[offset] ?? 0);
    const character = tryDecode(bytes.subarray(offset, offset + length));
    text += character ?? "\uFFFD";
    offset += character === undefined ? 1 : length;
  }
  return text;
}

/** How many bytes a character has that begins with this one. */
function lengthFrom(first: number): number {
  if (first < 0xc0) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}
