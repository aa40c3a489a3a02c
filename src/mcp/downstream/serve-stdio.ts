/**
 * The stdio front: one client on the process's own input and output. Nothing but JSON-RPC is ever
 * written to the output. At the end of the input open calls are cancelled and it resolves.
 */
import type { Readable, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../../contract/ambient.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { findOversizeId } from "../wire/find-oversize-id.ts";
import type { Principal } from "../../contract/principal.ts";
import { readClientMessage } from "../wire/read-client-message.ts";
import type { MalformedMessage } from "../wire/read-client-message.ts";
import type { OversizeFrame } from "../wire/read-frames.ts";
import { createFrameReader } from "../wire/read-frames.ts";
import { rpcCodes } from "../wire/rpc.ts";
import { Session } from "./session.ts";

export interface StdioFront {
  readonly input: Readable;
  readonly output: Writable;
  readonly gateway: Gateway;
  readonly log: Log;
  readonly principal: Principal;
}

/** The one session of this front. */
export const stdioSession = "stdio";

const maxMessageBytes = 4 * 1024 * 1024;
/** Above this many open requests no more input is read. */
const maxInFlight = 256;
const graceMs = 3000;

/** Serves until the input ends or the output is gone; everything received by then is dealt with. */
export async function serveStdio(front: StdioFront): Promise<void> {
  const { input, output, gateway, log, principal } = front;
  const session = new Session({
    gateway,
    log,
    principal,
    sessionId: stdioSession,
    send: ({ parts }) => writeLine(output, parts),
    isBusy: () => output.writableNeedDrain,
  });
  const open = new Set<Promise<void>>();

  function take(received: Promise<void>): void {
    // It never rejects.
    const dealtWith = received.then(() => {
      open.delete(dealtWith);
      resumeIfFree();
    });
    open.add(dealtWith);
  }

  function pauseIfBusy(): void {
    if (output.writableNeedDrain || session.inFlight >= maxInFlight) input.pause();
  }

  function resumeIfFree(): void {
    if (!output.writableNeedDrain && session.inFlight < maxInFlight) input.resume();
  }

  const read = createFrameReader(
    { maxBytes: maxMessageBytes },
    {
      onFrame: (frame) => take(session.receive(readClientMessage(frame))),
      onOversize: (frame) => take(session.receive(oversize(frame))),
    },
  );
  input.on("data", (chunk: Buffer) => {
    read(chunk);
    pauseIfBusy();
  });
  output.on("drain", resumeIfFree);
  await ended(input, output);
  session.close();
  // What waits for a server that hangs is not waited for: the client is gone.
  await Promise.race([Promise.all(open), delay(graceMs, undefined, { ref: false })]);
}

function oversize(frame: OversizeFrame): MalformedMessage {
  return {
    kind: "malformed",
    id: findOversizeId(frame) ?? null,
    answers: undefined,
    method: undefined,
    code: rpcCodes.invalidRequest,
    message: `a message of ${frame.bytes} bytes is over the limit of ${maxMessageBytes}`,
    reason: "oversize",
  };
}

function writeLine(output: Writable, parts: readonly (string | Buffer)[]): void {
  if (!output.writable) return;
  output.cork();
  for (const part of parts) output.write(part);
  output.write("\n");
  output.uncork();
}

function ended(input: Readable, output: Writable): Promise<void> {
  return new Promise((resolve) => {
    input.once("end", resolve);
    input.once("close", resolve);
    input.once("error", () => resolve());
    output.on("error", () => resolve());
    output.once("close", resolve);
  });
}
