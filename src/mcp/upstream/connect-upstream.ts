/**
 * The gateway as an MCP client of one upstream server, in the legacy era on stdio: start, handshake,
 * list, call, close. What it may be asked and whether a call may happen at all is decided by others.
 */
import type { Log } from "../../contract/ambient.ts";
import { isRecord } from "../../contract/json.ts";
import type { CallProgress } from "../../contract/progress.ts";
import { gatewayName, gatewayVersion } from "../../contract/version.ts";
import { GatewayError } from "../../errors.ts";
import { legacyVersions } from "../wire/method-table.ts";
import type { UpstreamReply } from "./connection.ts";
import { Connection } from "./connection.ts";
import type { ServerCommand } from "./server-process.ts";
import { startServerProcess } from "./server-process.ts";
import type { Watchdog } from "./watchdog.ts";

export type UpstreamErrorCode = "upstream_start_failed" | "upstream_list_failed";

/** A server that could not be started or did not list its tools. */
export class UpstreamError extends GatewayError<UpstreamErrorCode> {}

export interface UpstreamOptions {
  /** Config id, for messages. */
  readonly id: string;
  readonly command: ServerCommand;
  readonly startTimeoutMs: number;
  readonly callTimeoutMs: number;
}

export interface UpstreamDeps {
  readonly watchdog: Watchdog;
  readonly log: Log;
  readonly onToolsChanged: () => void;
  /** Called once, when a server that had started has ended. */
  readonly onLost: (reason: string) => void;
  /** Ends the handshake: its deadline, or the end of the gateway. */
  readonly signal: AbortSignal;
}

export interface ToolCall {
  readonly tool: string;
  /** The bytes that policy judged; they are sent as they are. */
  readonly argumentsJson: string;
  readonly traceparent: string | undefined;
  readonly onProgress: ((progress: CallProgress) => void) | undefined;
  readonly signal: AbortSignal;
}

export interface Upstream {
  /** Tool definitions of every page, unchecked; one deadline for all. Throws `UpstreamError`. */
  readonly listTools: (signal: AbortSignal) => Promise<readonly unknown[]>;
  readonly callTool: (call: ToolCall) => Promise<UpstreamReply>;
  readonly close: () => Promise<void>;
}

const maxMessageBytes = 32 * 1024 * 1024;
const maxPages = 64;
const maxTools = 2000;

/** Starts the server and shakes hands. Throws `UpstreamError` and leaves no process behind. */
export async function connectUpstream(
  options: UpstreamOptions,
  deps: UpstreamDeps,
): Promise<Upstream> {
  const child = startServerProcess(options.command, deps);
  const connection = new Connection({
    input: child.stdin,
    output: child.stdout,
    maxMessageBytes,
    log: deps.log,
    onToolsChanged: deps.onToolsChanged,
  });
  let isConnected = false;
  let isClosing = false;
  void child.ended.then((reason) => {
    connection.lose(`the server ${reason}`);
    if (isConnected && !isClosing) deps.onLost(reason);
  });
  const close = (): Promise<void> => {
    isClosing = true;
    return child.close();
  };
  try {
    const hasTools = await shakeHands(options, connection, deps.signal);
    isConnected = true;
    return {
      listTools: async (signal) => (hasTools ? await listTools(options, connection, signal) : []),
      callTool: (call) => callTool(options, connection, call),
      close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/** Legacy handshake; says whether the server has tools. */
async function shakeHands(
  options: UpstreamOptions,
  connection: Connection,
  signal: AbortSignal,
): Promise<boolean> {
  const params = {
    protocolVersion: legacyVersions[0],
    capabilities: {},
    clientInfo: { name: gatewayName, version: gatewayVersion },
  };
  const reply = await connection.request({
    method: "initialize",
    paramsJson: () => JSON.stringify(params),
    timeoutMs: options.startTimeoutMs,
    signal,
  });
  if (reply.kind !== "result") throw startFailed(options, describe(reply));
  const { protocolVersion, capabilities } = reply.result.value;
  if (!legacyVersions.some((known) => known === protocolVersion)) {
    throw startFailed(
      options,
      `it answered an unknown protocol version ${JSON.stringify(protocolVersion)}`,
    );
  }
  connection.notify("notifications/initialized");
  return isRecord(capabilities) && isRecord(capabilities["tools"]);
}

async function listTools(
  options: UpstreamOptions,
  connection: Connection,
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  const tools: unknown[] = [];
  let bytes = 0;
  let cursor: unknown;
  for (let page = 0; page < maxPages; page += 1) {
    const params = cursor === undefined ? {} : { cursor };
    const reply = await connection.request({
      method: "tools/list",
      paramsJson: () => JSON.stringify(params),
      timeoutMs: options.startTimeoutMs,
      signal,
    });
    if (reply.kind !== "result") throw listFailed(options, describe(reply));
    const { tools: found, nextCursor } = reply.result.value;
    if (!Array.isArray(found)) throw listFailed(options, "it answered no array of tools");
    for (const tool of found) tools.push(tool);
    bytes += reply.result.bytes.length;
    if (bytes > maxMessageBytes) throw listFailed(options, "its list is too long to be kept");
    if (tools.length > maxTools) throw listFailed(options, `it lists more than ${maxTools} tools`);
    if (nextCursor === undefined || nextCursor === null) return tools;
    if (nextCursor === cursor) throw listFailed(options, "it answered the same cursor twice");
    cursor = nextCursor;
  }
  throw listFailed(options, `its list has more than ${maxPages} pages`);
}

function callTool(
  options: UpstreamOptions,
  connection: Connection,
  call: ToolCall,
): Promise<UpstreamReply> {
  return connection.request({
    method: "tools/call",
    paramsJson: (id) => callParams(call, id),
    timeoutMs: options.callTimeoutMs,
    onProgress: call.onProgress,
    signal: call.signal,
  });
}

function callParams(call: ToolCall, id: number): string {
  const meta = {
    ...(call.onProgress === undefined ? {} : { progressToken: id }),
    ...(call.traceparent === undefined ? {} : { traceparent: call.traceparent }),
  };
  const metaJson = Object.keys(meta).length === 0 ? "" : `,"_meta":${JSON.stringify(meta)}`;
  return `{"name":${JSON.stringify(call.tool)},"arguments":${call.argumentsJson}${metaJson}}`;
}

function describe(reply: Exclude<UpstreamReply, { kind: "result" }>): string {
  if (reply.kind === "error") return `it answered error ${reply.error.code}`;
  return reply.code === "cancelled" ? "it did not finish in time" : reply.message;
}

function startFailed(options: UpstreamOptions, reason: string): UpstreamError {
  return new UpstreamError(
    "upstream_start_failed",
    `server "${options.id}" did not start: ${reason}; check servers.${options.id}.command and args by running them by hand`,
  );
}

function listFailed(options: UpstreamOptions, reason: string): UpstreamError {
  return new UpstreamError(
    "upstream_list_failed",
    `server "${options.id}" did not list its tools: ${reason}`,
  );
}
