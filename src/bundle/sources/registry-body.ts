/**
 * Reads the body of an answer within its limit, and not one byte of a body that was encoded on the
 * way: what a registry sends is what was hashed.
 */
import type { Dispatcher } from "undici";
import { BundleError } from "../bundle-error.ts";

const maxErrorBytes = 8 * 1024;

/**
 * Reads the whole body of a success, or the beginning of an error.
 *
 * @param where - reference for messages
 * @param maxBytes - of a success
 * @throws BundleError `bundle_too_large`, `bundle_protocol_invalid`
 */
export async function readLimited(
  where: string,
  { body, statusCode }: Dispatcher.ResponseData,
  headers: Dispatcher.ResponseData["headers"],
  maxBytes: number,
): Promise<Buffer> {
  // A body that is left unread is torn down with an error event, which nobody else listens to.
  body.on("error", ignore);
  const isError = statusCode >= 300;
  const encoding = headers["content-encoding"];
  if (!isError && encoding !== undefined && encoding !== "identity") {
    body.destroy();
    throw new BundleError(
      "bundle_protocol_invalid",
      `${where}: expected content as it is, found content-encoding ${JSON.stringify(encoding).slice(0, 40)}`,
    );
  }
  const limit = isError ? maxErrorBytes : maxBytes;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    const bytes: Buffer = Buffer.from(chunk);
    length += bytes.length;
    if (length > limit) {
      if (isError) break;
      throw tooLarge(where, maxBytes);
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function ignore(): void {}

function tooLarge(where: string, maxBytes: number): BundleError {
  return new BundleError(
    "bundle_too_large",
    `${where}: expected an answer of at most ${maxBytes} bytes, found more; reading was stopped`,
  );
}
