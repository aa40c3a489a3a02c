/**
 * The clients of both lines of the SDK, as they are published, before the front.
 */
import { Client as ModernClient } from "@modelcontextprotocol/client";
import { StreamableHTTPClientTransport as ModernTransport } from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  ElicitRequestSchema,
  ToolListChangedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { describe, expect, test } from "vitest";
import type { ActionRequest } from "../../../../src/gateway/gateway.ts";
import { eventually } from "../../../support/eventually.ts";
import { textResult, untilCancelled } from "./fake-gateway.ts";
import type { OpenFront } from "./open-front.ts";
import { openFront } from "./open-front.ts";

const info = { name: "sdk", version: "1" };
const echoCall = { name: "echo", arguments: { a: 1 } };
const echoed = { content: [{ type: "text", text: 'alice {"a":1}' }] };

async function connectOld(front: OpenFront, capabilities = {}) {
  const client = new Client(info, { capabilities });
  const transport = new StreamableHTTPClientTransport(new URL(front.url));
  await client.connect(transport);
  return { client, transport };
}

async function connectNew(front: OpenFront, mode: "auto" | "legacy") {
  const client = new ModernClient(info, { versionNegotiation: { mode } });
  const transport = new ModernTransport(new URL(front.url));
  await client.connect(transport);
  return { client, transport };
}

describe("the SDK 1.x client", () => {
  test("lists, calls, and ends its session", async () => {
    const front = await openFront();
    const { client, transport } = await connectOld(front);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(["echo", "mirrored"]);
    expect(await client.callTool(echoCall)).toMatchObject(echoed);
    await transport.terminateSession();
    expect(front.forgotten).toHaveLength(1);
    await client.close();
  });

  test("hears progress, is asked in the middle of a call, and hears of changes", async () => {
    const front = await openFront({
      act: async ({ ask, onProgress, signal }) => {
        onProgress?.({ progress: 1, total: 2 });
        const paramsJson =
          '{"message":"sure?","requestedSchema":{"type":"object","properties":{}}}';
        const reply = await ask?.({ method: "elicitation/create", paramsJson, signal });
        return textResult(reply?.kind === "result" ? reply.resultJson : "none");
      },
    });
    const { client } = await connectOld(front, { elicitation: {} });
    client.setRequestHandler(ElicitRequestSchema, () => ({ action: "decline" }));
    let changes = 0;
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => void (changes += 1));
    const progress: unknown[] = [];
    const result = await client.callTool(echoCall, undefined, {
      onprogress: (value) => progress.push(value),
    });
    expect(result).toMatchObject({ content: [{ text: '{"action":"decline"}' }] });
    expect(progress).toEqual([{ progress: 1, total: 2 }]);
    front.announce("notifications/tools/list_changed");
    await eventually(() => changes === 1);
    await client.close();
  });

  test("comes back for an answer whose connection broke", async () => {
    const front = await openFront({
      act: async () => {
        await new Promise((resolve) => setTimeout(resolve, 300));
        return textResult("late");
      },
      limits: { streamAfterMs: 5, retryMs: 10 },
    });
    let broken = 0;
    const transport = new StreamableHTTPClientTransport(new URL(front.url), {
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        const isStream = response.headers.get("content-type") === "text/event-stream";
        if (init?.method !== "POST" || !isStream || response.body === null) return response;
        broken += 1;
        return new Response(firstChunkOf(response.body), response);
      },
    });
    const client = new Client(info);
    await client.connect(transport);
    expect(await client.callTool(echoCall)).toMatchObject({ content: [{ text: "late" }] });
    expect([broken, front.actions.length]).toEqual([1, 1]);
    await client.close();
  });

  test("cancels with a message, not by leaving", async () => {
    const front = await openFront({ act: untilCancelled });
    const { client } = await connectOld(front);
    const controller = new AbortController();
    const call = client.callTool(echoCall, undefined, { signal: controller.signal });
    await eventually(() => front.actions.length === 1);
    controller.abort();
    await expect(call).rejects.toThrow(/abort/i);
    await eventually(() => front.actions[0]?.signal.aborted === true);
    await client.close();
  });
});

describe("the SDK 2.x client", () => {
  test.each([
    ["auto", "modern", "2026-07-28"],
    ["legacy", "legacy", "2025-11-25"],
  ] as const)("in its mode %s speaks %s", async (mode, era, version) => {
    const front = await openFront();
    const { client } = await connectNew(front, mode);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(["echo", "mirrored"]);
    expect(await client.callTool(echoCall)).toMatchObject(echoed);
    expect(front.actions.map((action: ActionRequest) => action.client)).toMatchObject([
      { era, protocolVersion: version, claim: info },
    ]);
    await client.close();
  });

  test("of this revision hears progress and cancels by leaving", async () => {
    const front = await openFront({
      act: async (request) => {
        request.onProgress?.({ progress: 1 });
        return await untilCancelled(request);
      },
    });
    const { client } = await connectNew(front, "auto");
    const controller = new AbortController();
    const progress: unknown[] = [];
    const call = client.callTool(echoCall, {
      signal: controller.signal,
      onprogress: (value) => progress.push(value),
    });
    await eventually(() => progress.length === 1);
    controller.abort();
    await expect(call).rejects.toThrow(/abort/i);
    await eventually(() => front.actions[0]?.signal.aborted === true);
    await client.close();
  });
});

/** What came with the first chunk, and then an end that nobody announced. */
function firstChunkOf(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream({
    start: async (controller) => {
      const { value } = await reader.read();
      if (value !== undefined) controller.enqueue(value);
      controller.close();
      await reader.cancel();
    },
  });
}
