/**
 * JSON that somebody else wrote, on its way to a schema: what is none is `undefined`, which no schema
 * takes, so that a text that cannot be read and one of the wrong shape are refused alike.
 */

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The value; `undefined` for what is no JSON, or not in UTF-8. */
export function parseJson(given: Uint8Array | string | undefined): unknown {
  try {
    return JSON.parse(typeof given === "string" ? given : utf8.decode(given));
  } catch {
    return undefined;
  }
}
