/**
 * The digest by which the gateway names contents: arguments, results, tools, bundles.
 */
import { hash } from "node:crypto";

/** `sha256:<hex>` of bytes or text. */
export function sha256Of(content: string | Uint8Array): `sha256:${string}` {
  return `sha256:${hash("sha256", content)}`;
}
