/**
 * Messages over the pipes of a child process, one a line. What the server leaves unread is bounded:
 * first it gets no more requests, then no more answers.
 */
import type { Readable, Writable } from "node:stream";
import type { Log } from "../../contract/ambient.ts";
import { findOversizeId } from "../wire/find-oversize-id.ts";
import type { OversizeFrame } from "../wire/read-frames.ts";
import { createFrameReader } from "../wire/read-frames.ts";
import { readServerMessage } from "../wire/read-server-message.ts";
import type { Carrier, CarrierSink } from "./carrier.ts";
import { maxMessageBytes, oversize } from "./failed.ts";

export interface StdioPipes {
  readonly input: Writable;
  readonly output: Readable;
  readonly log: Log;
}

/** What a server may leave unread before it gets no more requests. */
const maxUnreadBytes = 8 * 1024 * 1024;
/** What it may leave unread before its own requests are not answered any more. */
const maxUnansweredBytes = 32 * 1024 * 1024;

const unread = "the server does not read what it is sent";
const call = /^\s*\{(?:\s*"(?:jsonrpc|id)"\s*:\s*(?:\d+|"[^"\\]*")\s*,)*\s*"method"\s*:/;

/** The caller owns the pipes and says when they are lost. */
export function createStdioCarrier(pipes: StdioPipes, sink: CarrierSink): Carrier {
  const { input, output, log } = pipes;
  const receiveOversize = (frame: OversizeFrame): void => {
    const isCall = call.test(frame.head.toString("utf8"));
    const id = isCall ? undefined : findOversizeId(frame);
    log.warn({ id, bytes: frame.bytes }, "upstream message over the size limit dropped");
    if (typeof id === "number") sink.settle(id, oversize(frame.bytes, maxMessageBytes));
  };
  const read = createFrameReader(
    { maxBytes: maxMessageBytes },
    {
      onFrame: (frame) => sink.receive(readServerMessage(frame), "shared"),
      onOversize: receiveOversize,
    },
  );
  output.on("data", (chunk: Buffer) => read(chunk));
  output.on("error", (error) => sink.lose(error.message));
  const write = (text: string): void => void input.write(`${text}\n`);
  return {
    refusal: () => (input.writableLength > maxUnreadBytes ? unread : undefined),
    send: ({ text }) => write(text),
    abandon: (_, notice) => {
      if (notice !== undefined) write(notice);
    },
    post: (text) => {
      if (input.writableLength > maxUnansweredBytes) {
        log.warn({}, "upstream does not read; a message to it was dropped");
        return Promise.resolve(unread);
      }
      write(text);
      return Promise.resolve(undefined);
    },
    speak: () => {},
  };
}
