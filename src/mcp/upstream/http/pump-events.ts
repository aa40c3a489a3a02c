/**
 * One HTTP stream of server-sent events read to its end: messages go to the connection, ids and
 * waiting times stay here for whoever resumes the stream.
 */
import type { Readable } from "node:stream";
import type { ServerMessage } from "../../wire/read-server-message.ts";
import { readServerMessage } from "../../wire/read-server-message.ts";
import { maxMessageBytes } from "../failed.ts";
import { createEventReader } from "./read-events.ts";

/** What a stream leaves behind. */
export interface StreamMark {
  lastEventId: string | undefined;
  retryMs: number | undefined;
  /** Events since the mark was made. */
  events: number;
}

export interface PumpSink {
  readonly onMessage: (message: ServerMessage) => void;
  readonly onOversize: (bytes: number) => void;
}

export function newMark(): StreamMark {
  return { lastEventId: undefined, retryMs: undefined, events: 0 };
}

/** Resolves when the stream has ended in whichever way; never rejects. */
export function pumpEvents(body: Readable, mark: StreamMark, sink: PumpSink): Promise<void> {
  const read = createEventReader(maxMessageBytes, {
    onEvent: ({ id, type, data }) => {
      mark.events += 1;
      if (id !== undefined) mark.lastEventId = id;
      if (type === "message" && data.length > 0) sink.onMessage(readServerMessage(data));
    },
    onRetry: (retryMs) => {
      mark.retryMs = retryMs;
    },
    onOversize: sink.onOversize,
  });
  return new Promise((resolve) => {
    body.on("data", read);
    body.once("end", resolve);
    body.once("error", () => resolve());
    body.once("close", resolve);
  });
}
