/**
 * The answer to one POST with a request in it. It is one JSON object where the answer is the first
 * thing to be said, and a stream of events as soon as something else is, or nothing for a while.
 */
import type { ServerResponse } from "node:http";
import type { OutgoingMessage } from "../outgoing-message.ts";
import type { ResponseHeaders } from "./answer-json.ts";
import { answerJson } from "./answer-json.ts";

/** Where messages go once there is a stream. */
export interface MessageStream {
  readonly isBusy: boolean;
  readonly send: (parts: readonly (string | Buffer)[]) => void;
  readonly end: () => void;
}

/** Made for each request, so its members are functions: V8 keeps an accessor's closures for long. */
export interface Reply {
  /** True while the client does not read. */
  readonly isBusy: () => boolean;
  /** Says something; after an answer nothing more is said. */
  readonly send: (message: OutgoingMessage) => void;
  /** No answer is going to come: a cancelled request has none. */
  readonly finish: () => void;
  /** Gives the request up with another answer, where none was begun. */
  readonly abandon: (answer: (response: ServerResponse) => void) => void;
}

export interface ReplyParts {
  readonly response: ServerResponse;
  readonly headers: ResponseHeaders;
  readonly streamAfterMs: number;
  /** HTTP status of an answer that is one JSON object. */
  readonly statusOf: (errorCode: number | undefined) => number;
  readonly openStream: () => MessageStream;
}

/** Makes the answer to one POST; it holds a timer until something is said. */
export function createReply(parts: ReplyParts): Reply {
  const { response, headers, statusOf } = parts;
  let stream: MessageStream | undefined;
  let isDone = false;
  const timer = setTimeout(open, parts.streamAfterMs);

  /** None for who left, and for a notification, which was answered with a status alone. */
  function open(): MessageStream | undefined {
    clearTimeout(timer);
    const isOver = response.destroyed || response.headersSent;
    if (stream === undefined && !isOver) stream = parts.openStream();
    return stream;
  }

  function end(): void {
    isDone = true;
    clearTimeout(timer);
  }

  return {
    isBusy: () => stream?.isBusy ?? false,
    send: (message) => {
      if (isDone) return;
      if (!message.isAnswer) {
        open()?.send(message.parts);
        return;
      }
      end();
      stream?.send(message.parts);
      stream?.end();
      if (stream !== undefined) return;
      answerJson(response, statusOf(message.errorCode), headers, message.parts);
    },
    finish: () => {
      if (isDone) return;
      open()?.end();
      end();
    },
    abandon: (answer) => {
      if (isDone) return;
      end();
      if (stream === undefined) answer(response);
      else stream.end();
    },
  };
}
