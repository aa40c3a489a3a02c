/**
 * A client of 2026-07-28: every request stands for itself. It listens for a while and leaves,
 * disconnects in the middle of a call, and comes back with answers to what it was asked.
 */
import { setTimeout as wait } from "node:timers/promises";
import { abandon, call, commonDeeds, expectText } from "./deeds.js";
import { createEar } from "./ear.js";
import { brief, createTalk } from "./talk.js";
import { createWire } from "./wire.js";

const version = "2026-07-28";
const name = "modern";
const watched = "test://watched-resource";
const envelope = {
  "io.modelcontextprotocol/protocolVersion": version,
  "io.modelcontextprotocol/clientCapabilities": { elicitation: { form: {} } },
  "io.modelcontextprotocol/clientInfo": { name: "soak", version: "1" },
};

/** @typedef {import("./deeds.js").Client} Client */

/**
 * Everything between a client's first connection and its last.
 *
 * @param {import("./world.js").World} world
 * @param {import("./world.js").Place} place
 * @param {import("./world.js").Visit} visit
 * @returns {Promise<void>}
 */
export async function visitModern({ url, tally }, { who, token, usesDesk, unique }, visit) {
  const wire = createWire(url, token);
  const client = { who, tally, usesDesk, unique, talk: createTalk({ wire, tally, who, frame }) };
  const deeds = usesDesk ? [...ownDeeds, { weight: 10, does: ask }] : ownDeeds;
  try {
    const answer = await client.talk("server/discover");
    if (answer?.["result"]?.supportedVersions?.includes(version) !== true) {
      tally.fault(`${who}: not discovered: ${brief(answer)}`);
    }
    const leaves = await visit(client, [...commonDeeds, ...deeds]);
    if (leaves === "vanishes") await vanish(client, wire);
  } finally {
    wire.close();
  }
}

/**
 * @param {number} id
 * @param {string} method
 * @param {{ name?: string, uri?: string, _meta?: object }} params
 */
function frame(id, method, params) {
  const mirrored = params.name ?? params.uri;
  const named = mirrored === undefined ? {} : { "Mcp-Name": mirrored };
  const headers = { "MCP-Protocol-Version": version, "Mcp-Method": method, ...named };
  const _meta = { ...envelope, ...params._meta };
  return { headers, body: { jsonrpc: "2.0", id, method, params: { ...params, _meta } } };
}

/**
 * @param {Client} client
 * @param {import("./wire.js").Wire} wire
 */
async function vanish({ talk, unique }, wire) {
  const params = call("notes__slow", { value: unique(), ms: 1000 });
  const lost = talk("tools/call", params, { isGivenUp: true }).catch(() => undefined);
  await wait(50);
  wire.close();
  await lost;
}

/** @type {readonly import("./deeds.js").Weighted[]} */
const ownDeeds = [
  { weight: 4, does: listen },
  { weight: 5, does: disconnect },
];

/**
 * Hears of a change on a stream that stays open for a while.
 *
 * @param {Client} client
 */
async function listen({ who, tally, talk, unique }) {
  const uri = `notes://${who}`;
  const ear = createEar(tally, who);
  ear.allow(uri);
  ear.allow(watched);
  const uris = Math.random() < 0.5 ? [uri, watched] : [uri];
  const drop = new AbortController();
  const params = { notifications: { toolsListChanged: true, resourceSubscriptions: uris } };
  const hooks = { signal: drop.signal, isGivenUp: true, onNotice: ear.hear };
  const ended = talk("subscriptions/listen", params, hooks);
  if (await ear.heard("acknowledged", 1)) {
    const value = unique();
    const answer = await talk("tools/call", call("notes__touch", { value, uri }));
    expectText({ who, tally, talk, unique, usesDesk: false }, "notes__touch", answer, value);
    if (!(await ear.heard("updated", 1))) tally.fault(`${who}: change not heard on its stream`);
    await wait(1000 + Math.random() * 3000);
  } else tally.fault(`${who}: subscriptions/listen was not acknowledged`);
  drop.abort();
  const answer = await ended;
  if (answer !== undefined) tally.fault(`${who} subscriptions/listen: ended by ${brief(answer)}`);
}

/** @param {Client} client */
async function disconnect(client) {
  const gone = new AbortController();
  await abandon(client, () => gone.abort(), { signal: gone.signal });
}

/** @param {Client} client */
async function ask(client) {
  const value = client.unique();
  const first = await client.talk("tools/call", call("desk__ask", { value }));
  const { inputRequests = {}, requestState } = first?.["result"] ?? {};
  /** @type {[string, { params?: { message?: string } }][]} */
  const questions = Object.entries(inputRequests);
  if (questions.length !== 1 || questions[0]?.[1].params?.message !== `[desk] ${value}`) {
    return client.tally.fault(`${client.who} desk__ask: asked ${brief(first)}`);
  }
  const accepted = { action: "accept", content: { name } };
  const inputResponses = Object.fromEntries(questions.map(([key]) => [key, accepted]));
  const params = { ...call("desk__ask", { value }), inputResponses, requestState };
  const answer = await client.talk("tools/call", params);
  expectText(client, "desk__ask", answer, `${value} by ${name}`);
}
