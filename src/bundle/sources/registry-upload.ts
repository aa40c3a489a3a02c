/**
 * Uploads a blob: ask for a place, then send it there whole (distribution specification, "POST
 * then PUT"). The place has to be on the registry itself, since credentials and content go there.
 */
import type { Digest } from "../../contract/bundle.ts";
import { BundleError } from "../bundle-error.ts";
import { failureOf } from "./registry-failure.ts";
import { exchange } from "./registry-request.ts";
import type { RegistrySession } from "./registry-session.ts";

const maxAnswerBytes = 64 * 1024;

/**
 * Sends a blob unless the registry has it.
 *
 * @throws BundleError
 */
export async function uploadBlob(
  session: RegistrySession,
  bytes: Uint8Array,
  digest: Digest,
): Promise<void> {
  const blobs = `/v2/${session.repository}/blobs`;
  const known = new URL(`${blobs}/${digest}`, session.origin);
  const head = await exchange(session, { method: "HEAD", url: known, maxBytes: 0 });
  if (head.status === 200) return;
  const start = new URL(`${blobs}/uploads/`, session.origin);
  const opened = await exchange(session, {
    method: "POST",
    url: start,
    headers: { "content-length": "0" },
    maxBytes: maxAnswerBytes,
  });
  if (opened.status !== 202) throw failureOf(session, opened, "an upload to be opened");
  const url = uploadUrl(session, start, opened.header("location"));
  url.searchParams.set("digest", digest);
  const stored = await exchange(session, {
    method: "PUT",
    url,
    headers: { "content-type": "application/octet-stream" },
    body: bytes,
    maxBytes: maxAnswerBytes,
  });
  if (stored.status !== 201) throw failureOf(session, stored, "the upload to be accepted");
}

function uploadUrl(session: RegistrySession, start: URL, location: string | undefined): URL {
  if (location !== undefined && URL.canParse(location, start.href)) {
    const url = new URL(location, start);
    if (url.origin === session.origin && url.username === "") return url;
  }
  throw new BundleError(
    "bundle_redirect_refused",
    `${session.where}: expected an upload location on ${session.origin}, found another or none`,
  );
}
