/**
 * Reads the body of an answer within its limit, and not one byte of a body that was encoded on the
 * way: what a registry sends is what was hashed.
 */
import type { Dispatcher } from "undici";
import { BundleError } from "../bundle-error.ts";
import type { RegistrySession } from "./registry-session.ts";

const maxErrorBytes = 8 * 1024;

/**
 * Reads the whole body of a success, or the beginning of an error.
 *
 * @throws BundleError `bundle_too_large`, `bundle_protocol_invalid`
 */
export async function readBody(
  session: RegistrySession,
  response: Dispatcher.ResponseData,
  encoding: string | undefined,
  { maxBytes }: { readonly maxBytes: number },
): Promise<Buffer> {
  // A body that is left unread is torn down with an error event, which nobody else listens to.
  response.body.on("error", ignore);
  const isError = response.statusCode >= 300;
  if (!isError && encoding !== undefined && encoding !== "identity") {
    response.body.destroy();
    throw new BundleError(
      "bundle_protocol_invalid",
      `${session.where}: expected content as it is, found content-encoding ${JSON.stringify(encoding.slice(0, 40))}`,
    );
  }
  const limit = isError ? maxErrorBytes : maxBytes;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response.body) {
    const bytes: Buffer = Buffer.from(chunk);
    length += bytes.length;
    if (length > limit) {
      if (isError) break;
      throw tooLarge(session, maxBytes);
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function ignore(): void {}

function tooLarge(session: RegistrySession, maxBytes: number): BundleError {
  return new BundleError(
    "bundle_too_large",
    `${session.where}: expected an answer of at most ${maxBytes} bytes, found more; reading was stopped`,
  );
}
