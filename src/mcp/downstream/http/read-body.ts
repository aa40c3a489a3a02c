/**
 * Reads the body of a request up to a limit, counted in bytes that came and not in bytes that were
 * announced. How long it may take is the listener's `requestTimeout`.
 */
import type { IncomingMessage } from "node:http";

export type BodyReading =
  | { readonly ok: true; readonly body: Buffer }
  /** `gone`: the client left before its message was whole. */
  | { readonly ok: false; readonly reason: "too_large" | "gone" };

/** What is read on, unkept, so that a client that still writes hears why it is refused. */
const discardedBytes = 16 * 1024 * 1024;

/** Resolves when the body is there or is not going to be; never rejects. */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<BodyReading> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    if (request.destroyed && !request.readableEnded) {
      resolve({ ok: false, reason: "gone" });
      return;
    }
    let isSettled = false;
    const settle = (reading: BodyReading): void => {
      if (isSettled) return;
      isSettled = true;
      resolve(reading);
    };
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxBytes) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      if (length > maxBytes + discardedBytes) settle({ ok: false, reason: "too_large" });
    });
    request.on("end", () => {
      const [only] = chunks;
      const body = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
      settle(length > maxBytes ? { ok: false, reason: "too_large" } : { ok: true, body });
    });
    request.on("error", () => settle({ ok: false, reason: "gone" }));
    request.on("close", () => settle({ ok: false, reason: "gone" }));
  });
}
