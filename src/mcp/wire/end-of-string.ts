/**
 * Where a string of JSON ends, in the bytes as they came.
 */
const quote = 0x22;
const backslash = 0x5c;

/**
 * The offset behind the closing quote of the string that begins at `start`; `undefined` where there is
 * none. Native search, since results are mostly long strings.
 */
export function endOfString(bytes: Buffer, start: number): number | undefined {
  let at = start;
  for (;;) {
    at = bytes.indexOf(quote, at + 1);
    if (at < 0) return undefined;
    let backslashes = 0;
    while (bytes[at - 1 - backslashes] === backslash) backslashes += 1;
    if (backslashes % 2 === 0) return at + 1;
  }
}
