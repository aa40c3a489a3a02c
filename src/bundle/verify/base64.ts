/**
 * Base64 as signatures travel in it, read strictly: what Node passes over is refused, so that one
 * signature has one spelling.
 */

/** The bytes, or `undefined` where the text is no standard base64. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}

/** The bytes, or `undefined` where the text is no base64url without padding. */
export function decodeBase64Url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : undefined;
}
