/**
 * Reads the JSON body of an admin request, counted in bytes that came. How long it may take is the
 * listener's `requestTimeout`.
 */
import type { IncomingMessage } from "node:http";
import { AdminError } from "./admin-error.ts";

const maxBodyBytes = 64 * 1024;
/** No route takes more than a few; whoever walks a body may call itself for each level. */
const maxLevels = 16;

/**
 * The body, `undefined` where there is none.
 *
 * @throws AdminError `admin_too_large`, `admin_request_invalid`
 */
export async function readJsonBody(request: IncomingMessage): Promise<unknown> {
  const bytes = await readAll(request);
  if (bytes.length === 0) return undefined;
  const type = request.headers["content-type"] ?? "";
  // A page of another origin can send a body only as text or as a form.
  if (!/^application\/json(?:\s*;\s*charset=utf-8)?$/i.test(type)) {
    throw invalid("expected content-type application/json, found another or none");
  }
  const body = parse(bytes);
  if (!isDeeper(body, maxLevels)) return body;
  throw invalid(`expected a JSON body of at most ${maxLevels} levels, found more`);
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalid("expected a JSON body, found something else", cause);
  }
}

/** Goes down no further than `levels`. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    const bytes: unknown = chunk;
    if (!Buffer.isBuffer(bytes)) continue;
    length += bytes.length;
    if (length > maxBodyBytes) {
      throw new AdminError(
        "admin_too_large",
        `expected a body of at most ${maxBodyBytes} bytes, found more`,
      );
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function invalid(message: string, cause?: unknown): AdminError {
  return new AdminError("admin_request_invalid", message, { cause });
}
