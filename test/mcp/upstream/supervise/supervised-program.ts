/**
 * Supervised servers in the middle of everything that needs a timer, closed at once. The process
 * has to end by itself: whatever is left behind keeps it alive.
 */
import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "../../../../src/config/ambient.ts";
import { SupervisedServer } from "../../../../src/mcp/upstream/supervise/supervised-server.ts";
import type { SupervisorOptions } from "../../../../src/mcp/upstream/supervise/supervisor-options.ts";
import type {
  UpstreamConnection,
  UpstreamReply,
} from "../../../../src/mcp/upstream/upstream-connection.ts";

function serve(connect: SupervisorOptions["connect"]): SupervisedServer {
  const log = { error: ignore, warn: ignore, info: ignore, debug: ignore, child: () => log };
  return new SupervisedServer({
    id: "program",
    maxConcurrent: 1,
    idleTimeoutMs: 600_000,
    startTimeoutMs: 600_000,
    connect,
    clock: systemClock,
    log,
    random: () => 1,
    onConnected: ignore,
    onLost: ignore,
  });
}

function ignore(): void {}

function openSilently(): UpstreamConnection {
  const lost: UpstreamReply = { kind: "failed", code: "upstream_lost", message: "closed" };
  const open = new Set<(reply: UpstreamReply) => void>();
  return {
    greeting: {
      era: "modern",
      protocolVersion: "2026-07-28",
      capabilities: {},
      serverInfo: {},
      instructions: undefined,
    },
    request: ({ method }) =>
      method === "quick"
        ? Promise.resolve({ kind: "error", error: { code: 1, message: "no" } })
        : new Promise((resolve) => open.add(resolve)),
    notify: ignore,
    close: async () => {
      for (const end of open) end(lost);
    },
  };
}

async function report(name: string, reply: Promise<UpstreamReply>): Promise<void> {
  const ended = await reply;
  console.log(`${name} ${ended.kind === "failed" ? ended.code : ended.kind}`);
}

const starting = serve(
  (_key, _capabilities, _events, signal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(new Error("taken back")));
    }),
);
const running = serve(async () => openSilently());
const idle = serve(async () => openSilently());
const refusing = serve(() => Promise.reject(new Error("cannot start")));

const wanted = { method: "call", params: {}, timeoutMs: 600_000 };
await idle.request("a", {}, { ...wanted, method: "quick" });
await refusing.request("a", {}, wanted);
const reports = [
  report("starting", starting.request("a", {}, wanted)),
  report("running", running.request("a", {}, wanted)),
  report("refused", refusing.request("a", {}, wanted)),
];
await delay(20);
await starting.close();
await running.close();
await Promise.all([idle.close(), refusing.close()]);
await Promise.all(reports);
console.log("closed");
