/**
 * What the streams of one session said lately, for a client that comes back with a `Last-Event-ID`.
 * Bounded in events and bytes, per session and over all sessions; the oldest events go first, and an
 * event that fits nowhere is not kept.
 */

/** What all sessions together may keep. */
export interface ReplayBudget {
  readonly maxBytes: number;
  usedBytes: number;
}

export interface ReplayLimits {
  readonly replayEvents: number;
  readonly replayBytes: number;
}

export interface ReplayBuffer {
  /** Keeps an event of a stream; numbers of a stream only grow. */
  readonly keep: (stream: string, sequence: number, event: readonly (string | Buffer)[]) => void;
  /** The events of a stream after a number, oldest first. */
  readonly after: (stream: string, sequence: number) => readonly Buffer[];
  readonly has: (stream: string) => boolean;
  readonly forget: (stream: string) => void;
  readonly clear: () => void;
}

interface KeptEvent {
  readonly stream: string;
  readonly sequence: number;
  readonly bytes: Buffer;
}

/** What an event costs beside its bytes. */
const overheadBytes = 256;

/** Makes the buffer of one session. */
export function createReplayBuffer(limits: ReplayLimits, budget: ReplayBudget): ReplayBuffer {
  let events: KeptEvent[] = [];
  const counts = new Map<string, number>();
  let used = 0;

  function isFull(size: number): boolean {
    return (
      events.length >= limits.replayEvents ||
      used + size > limits.replayBytes ||
      budget.usedBytes + size > budget.maxBytes
    );
  }

  function count({ stream, bytes }: KeptEvent, by: 1 | -1): void {
    used += by * sizeOf(bytes);
    budget.usedBytes += by * sizeOf(bytes);
    const left = (counts.get(stream) ?? 0) + by;
    if (left > 0) counts.set(stream, left);
    else counts.delete(stream);
  }

  function dropOldest(): void {
    const oldest = events.shift();
    if (oldest !== undefined) count(oldest, -1);
  }

  function drop(isDropped: (event: KeptEvent) => boolean): void {
    for (const event of events) if (isDropped(event)) count(event, -1);
    events = events.filter((event) => !isDropped(event));
  }

  return {
    keep: (stream, sequence, parts) => {
      const event = { stream, sequence, bytes: Buffer.concat(parts.map(bytesOf)) };
      const size = sizeOf(event.bytes);
      while (events.length > 0 && isFull(size)) dropOldest();
      if (isFull(size)) return;
      events.push(event);
      count(event, 1);
    },
    after: (stream, sequence) =>
      events
        .filter((event) => event.stream === stream && event.sequence > sequence)
        .map(({ bytes }) => bytes),
    has: (stream) => counts.has(stream),
    forget: (stream) => drop((event) => event.stream === stream),
    clear: () => drop(() => true),
  };
}

function bytesOf(part: string | Buffer): Buffer {
  return typeof part === "string" ? Buffer.from(part) : part;
}

function sizeOf(bytes: Buffer): number {
  return bytes.length + overheadBytes;
}
