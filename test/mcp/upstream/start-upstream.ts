/**
 * Starts a fixture as an upstream on stdio and keeps what it said and what it was told.
 */
import { existsSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach } from "vitest";
import type { JsonObject } from "../../../src/contract/json.ts";
import { connectUpstream } from "../../../src/mcp/upstream/connect-upstream.ts";
import type { EraMemory } from "../../../src/mcp/upstream/connect-options.ts";
import type {
  ServerNotification,
  UpstreamConnection,
  UpstreamListener,
  UpstreamReply,
} from "../../../src/mcp/upstream/upstream-connection.ts";
import { createWatchdog } from "../../../src/mcp/upstream/watchdog.ts";
import { createTestLog } from "../../support/log.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

export const watchdog = createWatchdog(process.platform);
export const patience = AbortSignal.timeout(120_000);

const opened: UpstreamConnection[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((upstream) => upstream.close()));
});

export interface StartSettings {
  /** File in `test/fixtures`. */
  readonly fixture: string;
  readonly mode?: string;
  readonly protocol?: "auto" | "legacy" | "modern";
  readonly env?: Readonly<Record<string, string>>;
  readonly capabilities?: JsonObject;
  readonly rememberEra?: EraMemory;
  readonly onRequest?: UpstreamListener["onRequest"];
  readonly startTimeoutMs?: number;
}

export async function startUpstream(settings: StartSettings) {
  const log = createTestLog();
  const received = join(temporaryFolder(), "received.jsonl");
  const lost: string[] = [];
  const heard: ServerNotification[] = [];
  const lines = (): readonly string[] =>
    existsSync(received) ? readFileSync(received, "utf8").trimEnd().split("\n") : [];
  const file = fileURLToPath(new URL(`../../fixtures/${settings.fixture}`, import.meta.url));
  const env = {
    PATH: process.env["PATH"] ?? "",
    FIXTURE_RECEIVED: received,
    ...settings.env,
  };
  const args = [file, ...(settings.mode === undefined ? [] : [settings.mode])];
  const upstream = await connectUpstream(
    {
      id: "fixture",
      transport: { kind: "stdio", command: process.execPath, args, env: {}, cwd: tmpdir() },
      protocol: settings.protocol ?? "auto",
      env,
      startTimeoutMs: settings.startTimeoutMs ?? 20_000,
      capabilities: settings.capabilities ?? {},
    },
    {
      watchdog,
      log,
      events: {
        onLost: (reason) => lost.push(reason),
        onNotification: (notification) => heard.push(notification),
        onRequest: settings.onRequest,
      },
      signal: patience,
      rememberEra: settings.rememberEra,
    },
  );
  opened.push(upstream);
  return { upstream, log, lost, heard, lines };
}

/** The text content of a tool result, as JSON; anything else whole. */
export function textOf(reply: UpstreamReply): string {
  const content: unknown = reply.kind === "result" ? reply.result.value["content"] : reply;
  return JSON.stringify(content);
}
