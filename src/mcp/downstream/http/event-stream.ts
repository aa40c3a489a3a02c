/**
 * Server-sent events on one HTTP response. It promises that a client that stops reading costs a
 * bounded amount of memory: above it the connection is cut, and what was sent can be had again
 * where the stream behind it is kept.
 */
import type { ServerResponse } from "node:http";
import type { ResponseHeaders } from "./answer-json.ts";

export interface EventStream {
  readonly isOpen: boolean;
  /** True while the client does not read. */
  readonly isBusy: boolean;
  readonly write: (parts: readonly (string | Buffer)[]) => void;
  /** Ends the response after what was written. */
  readonly end: () => void;
}

/** All open ones of a front. */
export interface EventStreams {
  readonly open: (
    response: ServerResponse,
    headers: ResponseHeaders,
    onClose: () => void,
  ) => EventStream;
  /** Writes a comment to each, so that nobody in between takes a quiet one for dead. */
  readonly comment: () => void;
}

const streamHeaders = {
  "Content-Type": "text/event-stream",
  "Cache-Control": "no-cache, no-transform",
  "X-Accel-Buffering": "no",
  "X-Content-Type-Options": "nosniff",
} as const;

/** Makes the register of open streams. */
export function createEventStreams(maxUnreadBytes: number): EventStreams {
  const open = new Set<ServerResponse>();
  return {
    open: (response, headers, onClose) => {
      open.add(response);
      response.once("close", () => {
        open.delete(response);
        onClose();
      });
      response.writeHead(200, { ...headers, ...streamHeaders });
      response.flushHeaders();
      return eventStreamOn(response, maxUnreadBytes);
    },
    comment: () => {
      for (const response of open) {
        if (isWritable(response) && !response.writableNeedDrain) response.write(":\n\n");
      }
    },
  };
}

function eventStreamOn(response: ServerResponse, maxUnreadBytes: number): EventStream {
  return {
    get isOpen() {
      return isWritable(response);
    },
    get isBusy() {
      return response.writableNeedDrain;
    },
    write: (parts) => {
      if (!isWritable(response)) return;
      if (response.writableLength > maxUnreadBytes) {
        response.destroy();
        return;
      }
      response.cork();
      for (const part of parts) response.write(part);
      response.uncork();
    },
    end: () => {
      if (isWritable(response)) response.end();
    },
  };
}

function isWritable(response: ServerResponse): boolean {
  return !response.destroyed && !response.writableEnded;
}
