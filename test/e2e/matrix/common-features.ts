/**
 * Features of the protocol itself, written once for every server that has them.
 */
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import { eventually } from "../../support/eventually.ts";
import type { Json, Message } from "./matrix-client.ts";
import type { Feature, ListKind, Site } from "./site.ts";
import { callTool, hear, kindOf, listAll } from "./site.ts";
import type { WireStep } from "./tap-progress.ts";

/** What the server can do is what the gateway says it can do. */
export function declares(...capabilities: readonly string[]): Feature {
  return {
    name: "declares its capabilities",
    covers: capabilities.map((capability) => `capability ${capability}`),
    run: ({ client }) => Promise.resolve(client.greeting.capabilities),
  };
}

export const pings: Feature = {
  name: "answers ping",
  covers: [],
  exists: (client) => client === "legacy",
  run: ({ client }) => client.request("ping"),
};

/** Worded by each in its own way; it has to be refused in the same way. */
export const refusesUnknown: Feature = {
  name: "refuses a tool, a prompt and a resource that do not exist, and an unknown method",
  covers: [],
  run: async ({ client, nameOf }) => {
    const { capabilities } = client.greeting;
    const refusals = [kindOf(await client.request("tools/call", { name: nameOf("no-such-tool") }))];
    if (capabilities["prompts"] !== undefined) {
      refusals.push(kindOf(await client.request("prompts/get", { name: nameOf("none") })));
    }
    if (capabilities["resources"] !== undefined) {
      refusals.push(kindOf(await client.request("resources/read", { uri: "none://such" })));
    }
    refusals.push(kindOf(await client.request("no/such/method")));
    return refusals.map((kind) => (kind === "result" ? "accepted" : "refused"));
  },
};

/** Arguments that the tool's schema does not allow. */
export function refusesArguments(tool: string, args: Json): Feature {
  return {
    name: `refuses arguments that ${tool} does not take`,
    covers: [],
    run: async (site) => kindOf(await callTool(site, tool, args)),
  };
}

/** Subscribes to a resource, changes it, hears of it, and hears no more afterwards. */
export function tellsOfUpdates(
  uri: string,
  change: (site: Site) => Promise<unknown>,
  settle: (site: Site) => Promise<unknown> = () => Promise.resolve(),
): Feature {
  const isUpdate = ({ method, params }: Message): boolean =>
    method === "notifications/resources/updated" && params["uri"] === uri;
  return {
    name: `tells of updates of ${uri}`,
    covers: ["capability resources.subscribe"],
    run: async (site) => {
      const mark = site.client.heard.length;
      const stop = await subscribe(site, uri);
      await change(site);
      const [first] = await hear(site, mark, isUpdate);
      await settle(site);
      await stop();
      await delay(100);
      const after = site.client.heard.length;
      await change(site);
      await delay(300);
      await settle(site);
      return {
        heard: first?.params["uri"],
        heardAfterwards: site.client.heard.slice(after).filter(isUpdate).length,
      };
    },
  };
}

async function subscribe({ client }: Site, uri: string): Promise<() => Promise<unknown>> {
  if (client.era === "modern") return await client.listen({ resourceSubscriptions: [uri] });
  await client.request("resources/subscribe", { uri });
  return () => client.request("resources/unsubscribe", { uri });
}

const changes: Readonly<Record<string, string>> = {
  tools: "toolsListChanged",
  prompts: "promptsListChanged",
  resources: "resourcesListChanged",
};

/** Changes lists twice, hears of each, and sees what is there then. */
export function tellsOfChanges(
  kinds: readonly ("tools" | "prompts" | "resources")[],
  change: (site: Site) => Promise<unknown>,
  look: (site: Site) => Promise<unknown> = () => Promise.resolve(),
): Feature {
  return {
    name: `tells that the lists of ${kinds.join(", ")} changed`,
    covers: kinds.map((kind) => `capability ${kind}.listChanged`),
    run: async (site) => {
      const { client } = site;
      const wanted = Object.fromEntries(kinds.map((kind) => [changes[kind] ?? "", true]));
      const stop = client.era === "modern" ? await client.listen(wanted) : undefined;
      const looks = [await look(site)];
      for (const _ of ["there", "and back"]) {
        const mark = client.heard.length;
        await change(site);
        for (const kind of kinds) {
          const method = `notifications/${kind}/list_changed`;
          await hear(site, mark, (notice) => notice.method === method);
        }
        looks.push(await look(site));
      }
      await stop?.();
      return looks;
    },
  };
}

/** True where a list has an item of this name. */
export async function hasItem(site: Site, kind: ListKind, name: string): Promise<boolean> {
  const found = await listAll(site, kind);
  return found.some((item) => item["name"] === name || item["name"] === site.nameOf(name));
}

/** Every step of a call, in its order, on the wire; and all that the client can hear, it hears. */
export function reportsProgress(tool: string, args: Json): Feature {
  return {
    name: `reports the progress of ${tool}`,
    covers: [`tool ${tool}`],
    run: async (site) => {
      const { progress } = site.client;
      const mark = progress.length;
      const heard: Json[] = [];
      const outcome = await callTool(site, tool, args, {
        onProgress: (step) => void heard.push(step),
      });
      const steps = progress.slice(mark);
      // An SDK tells of questions that it answers meanwhile as steps, and gives them no total.
      expect(heard.filter(({ total }) => total !== undefined)).toEqual(
        steps.filter(({ isPassedOn }) => isPassedOn).map(({ params }) => params),
      );
      const told = site.isRepetitive ? steps.filter(isRise) : steps;
      return { outcome, steps: told.map(({ isStray, params }) => ({ isStray, params })) };
    },
  };
}

/** True of a step that says more than all before it. */
function isRise({ params }: WireStep, at: number, steps: readonly WireStep[]): boolean {
  return steps.slice(0, at).every((earlier) => progressOf(earlier.params) < progressOf(params));
}

function progressOf({ progress }: Json): number {
  return Number(progress);
}

/** How long a call that tells of no step is left to begin. */
const patienceMs = 1500;

/** A call that is cancelled once it runs is not answered, and the connection lives. */
export function cancels(
  tool: string,
  args: Json,
  seenBy?: (site: Site) => Promise<number>,
): Feature {
  return {
    name: `cancels ${tool}`,
    covers: [`tool ${tool}`],
    run: async (site) => {
      const before = (await seenBy?.(site)) ?? 0;
      const ending = new AbortController();
      const running = new AbortController();
      const pending = callTool(site, tool, args, {
        signal: ending.signal,
        onProgress: () => running.abort(),
      });
      await delay(patienceMs, undefined, { signal: running.signal }).catch(() => {});
      ending.abort();
      const outcome = await pending;
      if (seenBy !== undefined) {
        await eventually(async () => (await seenBy(site)) > before, 20_000);
      }
      return outcome;
    },
  };
}

/** The messages that a call logs, from a level on: of the session, or of this request alone. */
export function logs(tool: string, level: string, messages: number): Feature {
  return {
    name: `logs from ${level} on`,
    covers: ["capability logging", `tool ${tool}`],
    run: async (site) => {
      const { client, nameOf } = site;
      const isModern = client.era === "modern";
      if (!isModern) await client.request("logging/setLevel", { level });
      const meta = isModern ? { _meta: { "io.modelcontextprotocol/logLevel": level } } : {};
      const mark = client.heard.length;
      const outcome = await client.request("tools/call", {
        name: nameOf(tool),
        arguments: {},
        ...meta,
      });
      const isLog = ({ method }: Message): boolean => method === "notifications/message";
      const logged = (): readonly Message[] => client.heard.slice(mark).filter(isLog);
      await eventually(() => logged().length >= messages, 30_000);
      await delay(200);
      const heard = logged();
      return { outcome, heard: heard.map(({ params }) => ({ ...params, _meta: undefined })) };
    },
  };
}
