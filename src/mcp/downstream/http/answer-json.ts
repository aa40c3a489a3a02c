/**
 * Writes one JSON object, or nothing at all, as the whole answer to a request.
 */
import type { ServerResponse } from "node:http";

export type ResponseHeaders = Readonly<Record<string, string>>;

/** Up to here an answer is one write. */
const joinedBytes = 64 * 1024;

/** Sends the parts of one JSON text with their length. */
export function answerJson(
  response: ServerResponse,
  status: number,
  headers: ResponseHeaders,
  parts: readonly (string | Buffer)[],
): void {
  if (response.destroyed || response.headersSent) return;
  const length = parts.reduce((sum, part) => sum + Buffer.byteLength(part), 0);
  response.writeHead(status, {
    ...headers,
    "Content-Type": "application/json",
    "Content-Length": length,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
  });
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return void response.end(only);
  if (length <= joinedBytes) return void response.end(joined(parts, length));
  response.cork();
  for (const part of parts) response.write(part);
  response.end();
  response.uncork();
}

function joined(parts: readonly (string | Buffer)[], length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  for (const part of parts) {
    at += typeof part === "string" ? bytes.write(part, at) : part.copy(bytes, at);
  }
  return bytes;
}

/** Sends a status without a body. */
export function answerEmpty(
  response: ServerResponse,
  status: number,
  headers: ResponseHeaders,
): void {
  if (response.destroyed || response.headersSent) return;
  const length: ResponseHeaders = status === 204 ? {} : { "Content-Length": "0" };
  response.writeHead(status, { ...headers, ...length });
  response.end();
}
