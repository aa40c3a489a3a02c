/**
 * A response body up to a limit; what is beyond it ends the body, not the process.
 */
import type { Readable } from "node:stream";
import { ByteParts } from "./byte-parts.ts";

export type BodyOutcome =
  | { readonly kind: "read"; readonly bytes: Buffer }
  | { readonly kind: "oversize"; readonly bytes: number }
  | { readonly kind: "broken"; readonly reason: string };

/** Never rejects; the body is over when it resolves. */
export function readBody(body: Readable, maxBytes: number): Promise<BodyOutcome> {
  return new Promise((resolve) => {
    const parts = new ByteParts();
    body.on("data", (chunk: Buffer) => {
      parts.push(chunk);
      if (parts.length <= maxBytes) return;
      resolve({ kind: "oversize", bytes: parts.length });
      parts.clear();
      body.destroy();
    });
    body.once("end", () => resolve({ kind: "read", bytes: parts.take() }));
    body.on("error", (error: Error) => resolve({ kind: "broken", reason: error.message }));
    body.once("close", () => resolve({ kind: "broken", reason: "the answer was cut off" }));
  });
}
