/**
 * Newline framing of the stdio transport. Chunks are kept in a list and joined once per message; a
 * message over the limit is dropped as it streams in and reported with its head and tail, so that
 * its own call fails and the connection lives on.
 */

export interface FrameLimits {
  readonly maxBytes: number;
}

export interface OversizeFrame {
  readonly bytes: number;
  /** First and last bytes of the message, enough to find its id. */
  readonly head: Buffer;
  readonly tail: Buffer;
}

export interface FrameSink {
  /** One message without its line end. */
  readonly onFrame: (frame: Buffer) => void;
  readonly onOversize: (frame: OversizeFrame) => void;
}

const edgeBytes = 1024;
const newline = 0x0a;
const carriageReturn = 0x0d;

/** Cuts a byte stream into lines; call it with each chunk. An unfinished line at the end is lost. */
export function createFrameReader(limits: FrameLimits, sink: FrameSink): (chunk: Buffer) => void {
  let parts: Buffer[] = [];
  let length = 0;
  let head: Buffer | undefined;
  let tail = Buffer.alloc(0);

  function append(part: Buffer): void {
    length += part.length;
    if (head !== undefined) {
      tail = Buffer.concat([tail, part.subarray(-edgeBytes)]).subarray(-edgeBytes);
      return;
    }
    parts.push(part);
    if (length <= limits.maxBytes) return;
    const whole = Buffer.concat(parts);
    head = Buffer.from(whole.subarray(0, edgeBytes));
    tail = Buffer.from(whole.subarray(-edgeBytes));
    parts = [];
  }

  function finish(): void {
    if (head !== undefined) {
      sink.onOversize({ bytes: length, head, tail });
    } else {
      const [only, ...others] = parts;
      if (only !== undefined) emit(others.length === 0 ? only : Buffer.concat(parts));
    }
    parts = [];
    length = 0;
    head = undefined;
    tail = Buffer.alloc(0);
  }

  function emit(line: Buffer): void {
    const frame = line.at(-1) === carriageReturn ? line.subarray(0, -1) : line;
    if (frame.length > 0) sink.onFrame(frame);
  }

  return (chunk) => {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(newline, start);
      if (end < 0) break;
      if (end > start) append(chunk.subarray(start, end));
      finish();
      start = end + 1;
    }
    if (start < chunk.length) append(chunk.subarray(start));
  };
}
