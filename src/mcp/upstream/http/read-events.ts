/**
 * Server-sent events (WHATWG HTML, "Server-sent events") read as bytes, because a result has to pass
 * as the bytes it came in. An event over the limit is dropped and reported; the stream goes on.
 */
import { createLineReader } from "./read-lines.ts";

export interface StreamEvent {
  /** What `Last-Event-ID` may say from now on; `undefined` where the event changes nothing. */
  readonly id: string | undefined;
  /** `message` where the stream names none. */
  readonly type: string;
  /** Lines of data joined by a line feed; empty where the event carries none. */
  readonly data: Buffer;
}

export interface EventSink {
  readonly onEvent: (event: StreamEvent) => void;
  readonly onRetry: (retryMs: number) => void;
  /** An event of so many bytes was dropped. */
  readonly onOversize: (bytes: number) => void;
}

const colon = 0x3a;
const space = 0x20;
const newline = Buffer.from("\n");
const nothing = Buffer.alloc(0);
/** What keeping a line costs beside its bytes. */
const lineOverhead = 64;
/** Ids go back in a header, so only plain header text is one. */
const plainId = /^[\x21-\x7e](?:[\x20-\x7e]{0,1022}[\x21-\x7e])?$/;

/** Call the returned function with each chunk. An event that never ended is lost. */
export function createEventReader(maxBytes: number, sink: EventSink): (chunk: Buffer) => void {
  let data: Buffer[] = [];
  let type = "";
  let id: string | undefined;
  let bytes = 0;
  let isFirst = true;

  function finish(): void {
    const [only = nothing, ...others] = data;
    if (bytes > maxBytes) sink.onOversize(bytes);
    else if (data.length > 0 || id !== undefined) {
      const whole = others.length === 0 ? only : Buffer.concat(data.flatMap(joined));
      sink.onEvent({ id, type: type === "" ? "message" : type, data: whole });
    }
    [data, type, id, bytes] = [[], "", undefined, 0];
  }

  function take(line: Buffer): void {
    const { name, value } = readField(line);
    switch (name) {
      case "data":
        data.push(value);
        return;
      case "event":
        type = value.toString("utf8");
        return;
      case "id":
        if (plainId.test(value.toString("latin1"))) id = value.toString("latin1");
        return;
      case "retry":
        if (/^\d{1,9}$/.test(value.toString("latin1"))) sink.onRetry(Number(value));
    }
  }

  return createLineReader(maxBytes, (line) => {
    if (line.length === 0) return finish();
    if (line.bytes?.[0] === colon) return;
    bytes += line.length + lineOverhead;
    if (bytes > maxBytes) data = [];
    else if (line.bytes !== undefined) take(isFirst ? withoutMark(line.bytes) : line.bytes);
    isFirst = false;
  });
}

function readField(line: Buffer): { readonly name: string; readonly value: Buffer } {
  const end = line.subarray(0, 16).indexOf(colon);
  if (end < 0) return { name: line.toString("latin1", 0, 16), value: nothing };
  const start = line[end + 1] === space ? end + 2 : end + 1;
  return { name: line.toString("latin1", 0, end), value: line.subarray(start) };
}

function joined(line: Buffer, index: number): readonly Buffer[] {
  return index === 0 ? [line] : [newline, line];
}

/** A byte order mark at the start of the stream is no part of the first line. */
function withoutMark(line: Buffer): Buffer {
  return line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf ? line.subarray(3) : line;
}
