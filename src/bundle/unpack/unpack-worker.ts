/**
 * The thread in which one large archive is opened. What it found is handed over, not copied; the
 * thread then ends.
 */
import { parentPort, workerData } from "node:worker_threads";
import { messageOf } from "../../errors.ts";
import { BundleError } from "../bundle-error.ts";
import { openHere } from "./opened-archive.ts";
import type { UnpackReply, UnpackRequest } from "./unpack-protocol.ts";

const request: UnpackRequest = workerData;
const reply = answer();
parentPort?.postMessage(reply, buffersOf(reply));

function answer(): UnpackReply {
  try {
    const { files, content, carried } = openHere(request.archive, request.signers);
    return { type: "opened", files: [...files], content, carried };
  } catch (thrown) {
    return thrown instanceof BundleError
      ? { type: "refused", code: thrown.code, message: thrown.message }
      : { type: "failed", message: messageOf(thrown) };
  }
}

/** All files are views of one allocation, or of a few. */
function buffersOf(opened: UnpackReply): ArrayBuffer[] {
  if (opened.type !== "opened") return [];
  const buffers = opened.files.map(([, { buffer }]) => buffer);
  return [...new Set(buffers)].filter((buffer) => buffer instanceof ArrayBuffer);
}
