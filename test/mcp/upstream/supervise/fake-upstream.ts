/**
 * An upstream whose starts, answers and losses a test decides, behind connections that keep their
 * promises: deadlines, cancellation, exactly one end for each request.
 */
import { GatewayError } from "../../../../src/errors.ts";
import { SupervisedServer } from "../../../../src/mcp/upstream/supervise/supervised-server.ts";
import type { SupervisorOptions } from "../../../../src/mcp/upstream/supervise/supervisor-options.ts";
import type {
  UpstreamConnection,
  UpstreamConnectionEvents,
  UpstreamReply,
  UpstreamRequest,
} from "../../../../src/mcp/upstream/upstream-connection.ts";
import { systemClock } from "../../../../src/config/ambient.ts";
import { createTestLog } from "../../../support/log.ts";

export interface FakeRequest {
  readonly wanted: UpstreamRequest;
  readonly end: (reply: UpstreamReply) => void;
}

export interface FakeConnection {
  readonly key: string;
  readonly capabilities: object;
  readonly events: UpstreamConnectionEvents;
  /** Sent and not ended. */
  readonly open: Set<FakeRequest>;
  /** Methods of everything that was ever sent. */
  readonly sent: string[];
  readonly notified: string[];
  isClosed: boolean;
  /** Ends open requests, then says so. */
  readonly lose: (reason: string) => void;
}

export interface FakeStart {
  readonly key: string;
  readonly signal: AbortSignal;
  readonly succeed: () => FakeConnection;
  readonly fail: (code: string) => void;
}

export interface FakeSettings extends Partial<SupervisorOptions> {
  /** `true`: starts wait in `starts` until the test ends them. */
  readonly isManual?: boolean;
  readonly era?: "legacy" | "modern";
  /** Answers at once what it returns a reply for. */
  readonly answer?: (wanted: UpstreamRequest) => UpstreamReply | undefined;
  /** How a connection closes; at once by default. */
  readonly closing?: () => Promise<void>;
}

export const done: UpstreamReply = {
  kind: "result",
  result: { bytes: Buffer.from("{}"), value: {}, members: new Map() },
};

export function failure(code: Extract<UpstreamReply, { kind: "failed" }>["code"]): UpstreamReply {
  return { kind: "failed", code, message: `as the test says: ${code}` };
}

/** A supervised server over fakes, and everything that happened to it. */
export function createFakeUpstream(settings: FakeSettings = {}) {
  const { isManual = false, era = "legacy", answer, closing, ...options } = settings;
  const connections: FakeConnection[] = [];
  const starts: FakeStart[] = [];
  const lost: string[] = [];
  const heard: string[] = [];
  const log = createTestLog();
  const server = new SupervisedServer({
    id: "fake",
    maxConcurrent: 2,
    idleTimeoutMs: 600_000,
    startTimeoutMs: 5000,
    clock: systemClock,
    log,
    random: () => 1,
    onConnected: (key) => heard.push(`connected ${key}`),
    onLost: (key, reason) => lost.push(`${key}: ${reason}`),
    onStopped: (key) => heard.push(`stopped ${key}`),
    onNotification: (key, { method }) => heard.push(`${key} ${method}`),
    connect: (key, capabilities, events, signal) =>
      new Promise((resolve, reject) => {
        const start: FakeStart = {
          key,
          signal,
          succeed: () => {
            const fake = openConnection({ key, capabilities, events, era, answer, closing });
            connections.push(fake);
            resolve(fake.connection);
            return fake;
          },
          fail: (code) => reject(new GatewayError(code, `it did not start: ${code}`)),
        };
        starts.push(start);
        signal.addEventListener("abort", () => start.fail("upstream_start_failed"));
        if (!isManual) start.succeed();
      }),
    ...options,
  });
  return { server, connections, starts, lost, heard, log };
}

interface OpenOptions {
  readonly answer: FakeSettings["answer"] | undefined;
  readonly closing: FakeSettings["closing"] | undefined;
  readonly key: string;
  readonly capabilities: object;
  readonly events: UpstreamConnectionEvents;
  readonly era: "legacy" | "modern";
}

function openConnection(
  options: OpenOptions,
): FakeConnection & { readonly connection: UpstreamConnection } {
  const { key, capabilities, events, era, answer, closing } = options;
  const open = new Set<FakeRequest>();
  const endAll = (): void => {
    for (const { end } of open) end(failure("upstream_lost"));
  };
  const fake = {
    key,
    capabilities,
    events,
    open,
    sent: new Array<string>(),
    notified: new Array<string>(),
    isClosed: false,
    lose: (reason: string) => {
      endAll();
      events.onLost(reason);
    },
  };
  const connection: UpstreamConnection = {
    greeting: {
      era,
      protocolVersion: "2025-11-25",
      capabilities: {},
      serverInfo: {},
      instructions: undefined,
    },
    request: (wanted) =>
      new Promise((resolve) => {
        fake.sent.push(wanted.method);
        if (fake.isClosed) return resolve(failure("upstream_lost"));
        const end = (reply: UpstreamReply): void => {
          open.delete(request);
          clearTimeout(timer);
          wanted.signal?.removeEventListener("abort", abort);
          resolve(reply);
        };
        const request = { wanted, end };
        const abort = (): void => end(failure("cancelled"));
        const timer =
          wanted.timeoutMs === Infinity
            ? undefined
            : setTimeout(() => end(failure("upstream_timeout")), wanted.timeoutMs);
        wanted.signal?.addEventListener("abort", abort);
        open.add(request);
        const reply = answer?.(wanted);
        if (reply !== undefined) end(reply);
      }),
    notify: (method) => void fake.notified.push(method),
    close: async () => {
      fake.isClosed = true;
      endAll();
      await closing?.();
    },
  };
  return Object.assign(fake, { connection });
}

/** A request of a client; named after its method. */
export function ask(method = "tools/call", more: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return { method, params: {}, timeoutMs: 10_000, ...more };
}
