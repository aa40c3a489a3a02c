/**
 * A server that closes the stream of a call early and wants to be polled (MCP 2025-11-25,
 * "Sending Messages to the Server"): each event comes once and in order, whatever is between them.
 */
import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { z } from "zod";
import type { JsonObject } from "../../../../src/contract/json.ts";
import type { Received } from "./fake-upstream.ts";
import {
  connect,
  greetLegacy,
  rpcResult,
  startEvents,
  startFake,
  textResult,
} from "./fake-upstream.ts";

/** What one connection brings: so many events, then its end, or an event that breaks off. */
interface Stretch {
  readonly events: number;
  readonly breaksOff?: boolean;
}

interface Story {
  readonly events: readonly string[];
  readonly stretches: Stretch[];
}

const asked = z.object({
  name: z.string(),
  _meta: z.object({ progressToken: z.union([z.string(), z.number()]) }),
});
const total = 6;

/** Priming, steps and result; the server never says an event but after the one before it. */
function tell({ id, body }: Received, stretches: readonly Stretch[]): Story {
  const { name, _meta } = asked.parse(body["params"]);
  const step = (progress: number): JsonObject => ({
    jsonrpc: "2.0",
    method: "notifications/progress",
    params: { progressToken: _meta.progressToken, progress, total },
  });
  const steps = Array.from({ length: total }, (_, index) => JSON.stringify(step(index + 1)));
  const result = JSON.stringify(rpcResult(id, textResult(`end of ${name}`)));
  const events = ["", ...steps, result].map((data, index) => {
    const retry = index === 0 ? "retry: 20\n" : "";
    return `${retry}id: ${name}-${index}\ndata: ${data}\n\n`;
  });
  return { events, stretches: [...stretches] };
}

/** Goes on behind event `last`; a stretch that nobody planned brings all that is left. */
function goOn({ events, stretches }: Story, last: number, response: ServerResponse): void {
  const stretch = stretches.shift() ?? { events: events.length };
  const end = last + 1 + stretch.events;
  startEvents(response);
  response.flushHeaders();
  for (const event of events.slice(last + 1, end)) response.write(event);
  if (stretch.breaksOff !== true) return void response.end();
  const half = events[end]?.slice(0, -2) ?? "";
  response.write(half, () => response.destroy());
}

async function startStoryteller(stretches: Readonly<Record<string, readonly Stretch[]>>) {
  const stories = new Map<string, Story>();
  const fake = await startFake((request) => {
    const resumed = /^(.+)-(\d+)$/.exec(String(request.headers["last-event-id"] ?? ""));
    if (request.method === "GET" && resumed !== null) {
      const [, name = "", last = ""] = resumed;
      const story = stories.get(name);
      if (story !== undefined) goOn(story, Number(last), request.response);
      return;
    }
    if (greetLegacy(request)) return;
    const { name } = asked.parse(request.body["params"]);
    const story = tell(request, stretches[name] ?? []);
    stories.set(name, story);
    goOn(story, -1, request.response);
  });
  const { call } = await connect({ url: fake.url, protocol: "legacy" });
  const hear = async (name: string) => {
    const steps: number[] = [];
    const onProgress = ({ progress }: { readonly progress: number }): void =>
      void steps.push(progress);
    const reply = await call(name, {}, { onProgress, timeoutMs: 60_000 });
    return { steps, reply: JSON.stringify(reply) };
  };
  const resumedFrom = (name: string): readonly unknown[] =>
    fake.received
      .filter(({ method }) => method === "GET")
      .map(({ headers }) => headers["last-event-id"])
      .filter((id) => String(id).startsWith(name));
  return { fake, hear, resumedFrom };
}

const all = [1, 2, 3, 4, 5, 6];

test("every event comes once and in order, however the server cuts its stream", async () => {
  const { fake, hear, resumedFrom } = await startStoryteller({
    polled: [
      { events: 1 },
      { events: 1 },
      { events: 0 },
      { events: 2 },
      { events: 0, breaksOff: true },
      { events: 1, breaksOff: true },
    ],
  });
  const { steps, reply } = await hear("polled");
  expect(steps).toEqual(all);
  expect(reply).toContain("end of polled");
  expect(resumedFrom("polled")).toEqual([
    "polled-0",
    "polled-1",
    "polled-1",
    "polled-3",
    "polled-3",
    "polled-4",
  ]);
  expect(fake.received.filter(({ rpc }) => rpc === "tools/call")).toHaveLength(1);
});

test("two calls that are polled at once never hear each other's events", async () => {
  const each = [{ events: 1 }, { events: 2 }, { events: 0 }, { events: 1 }, { events: 3 }];
  const { hear, resumedFrom } = await startStoryteller({ left: each, right: each.toReversed() });
  const [left, right] = await Promise.all([hear("left"), hear("right")]);
  expect([left.steps, right.steps]).toEqual([all, all]);
  expect(left.reply).toContain("end of left");
  expect(right.reply).toContain("end of right");
  expect(resumedFrom("left")).toEqual(["left-0", "left-2", "left-2", "left-3", "left-6"]);
});

test("a server that has nothing to say for many polls has not lost the call", async () => {
  const silence = Array.from({ length: 7 }, () => ({ events: 0 }));
  const { hear } = await startStoryteller({ quiet: [{ events: 2 }, ...silence] });
  const { steps, reply } = await hear("quiet");
  expect(steps).toEqual(all);
  expect(reply).toContain("end of quiet");
});
