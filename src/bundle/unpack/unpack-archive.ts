/**
 * Opens an archive without holding up the calls of others. A small one is opened here, in a few
 * milliseconds; one that is larger, or says that it unpacks to more, in a thread of its own, since
 * 64 KB may hold 64 MB. How much is too much is the same in both places.
 */
import { Worker } from "node:worker_threads";
import { workerUrl } from "../../contract/worker-url.ts";
import { BundleError } from "../bundle-error.ts";
import { declaredBytes, looksLikeGzip } from "../gzip.ts";
import type { Signer } from "../verify/trust.ts";
import type { OpenedArchive } from "./opened-archive.ts";
import { openHere } from "./opened-archive.ts";
import type { UnpackReply, UnpackRequest } from "./unpack-protocol.ts";

/** What is opened in this thread at most, packed and unpacked. */
const hereBytes = 1024 * 1024;
const limitMs = 60_000;
/** Of values, not of bytes, which a thread holds outside of its heap. */
const maxHeapMb = 512;

/**
 * Opens an archive.
 *
 * @param signers - of whom those who sign as OPA does are asked about the files
 * @throws BundleError `bundle_archive_invalid`, `bundle_archive_unsafe`, `bundle_too_large`
 */
export async function unpackArchive(
  archive: Buffer,
  signers: readonly Signer[],
): Promise<OpenedArchive> {
  const opaSigners = signers.filter((signer) => signer.type === "opa");
  if (isSmall(archive)) return openHere(archive, opaSigners);
  const reply = await askThread({ archive, signers: opaSigners });
  switch (reply.type) {
    case "opened": {
      const { content, carried } = reply;
      const files = new Map(reply.files.map(([path, bytes]) => [path, bufferOf(bytes)]));
      return { files, content, carried };
    }
    case "refused":
      throw new BundleError(reply.code, reply.message);
    case "failed":
      throw new Error(reply.message);
  }
}

/** Whoever understates what it unpacks to is stopped where it said that it ends. */
function isSmall(archive: Buffer): boolean {
  if (archive.length > hereBytes) return false;
  return !looksLikeGzip(archive) || declaredBytes(archive) <= hereBytes;
}

async function askThread(request: UnpackRequest): Promise<UnpackReply> {
  const thread = new Worker(workerUrl("unpack-worker"), {
    workerData: request,
    stdout: true,
    stderr: true,
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
  });
  thread.stdout.resume();
  thread.stderr.resume();
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve, reject) => {
      const lose = (): void => reject(lost());
      thread.once("message", resolve).once("error", lose).once("exit", lose);
      timer = setTimeout(lose, limitMs);
    });
  } finally {
    clearTimeout(timer);
    await thread.terminate();
  }
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function lost(): BundleError {
  return new BundleError(
    "bundle_too_large",
    `bundle archive: expected one that opens within ${limitMs / 1000} seconds and ${maxHeapMb} MB, found that it does not`,
  );
}
