/**
 * A client of 2025-11-25: a session with a stream of its own, calls in it, subscriptions, answers to
 * questions. It ends its session, or vanishes without a word.
 */
import { setTimeout as wait } from "node:timers/promises";
import { abandon, call, commonDeeds, expectText } from "./deeds.js";
import { createEar } from "./ear.js";
import { createTalk } from "./talk.js";
import { createWire } from "./wire.js";

const version = "2025-11-25";
const name = "legacy";

/**
 * @typedef {import("./deeds.js").Client & { ear: import("./ear.js").Ear, uri: string,
 *   notify: (method: string, params?: object) => Promise<void>, isSubscribed: boolean,
 *   lastId: () => number }} LegacyClient
 * @typedef {import("./world.js").Visit} Visit
 */

/**
 * One session from its handshake to its end.
 *
 * @param {import("./world.js").World} world
 * @param {import("./world.js").Place} place
 * @param {Visit} visit
 * @returns {Promise<void>}
 */
export async function visitLegacy({ url, tally }, { who, token, usesDesk, unique }, visit) {
  const wire = createWire(url, token);
  const ear = createEar(tally, who);
  /** @type {Record<string, string>} */
  const headers = {};
  let lastId = 0;
  const post = async (/** @type {import("./wire.js").Message} */ body) => {
    const { status } = await wire.send({ method: "POST", headers, body });
    if (status !== 202) tally.fault(`${who}: expected 202 for a message, found ${status}`);
  };
  const talk = createTalk({
    wire,
    tally,
    who,
    frame: (id, method, params) => {
      lastId = id;
      return { headers, body: { jsonrpc: "2.0", id, method, params } };
    },
    onSession: (id) => {
      headers["Mcp-Session-Id"] = id;
    },
    onQuestion: async ({ id, method, params }) => {
      if (method !== "elicitation/create") throw new Error(`expected a form, found ${method}`);
      if (!String(params.message).startsWith(`[desk] ${who}-`))
        tally.fault(`${who}: foreign question`);
      await post({ jsonrpc: "2.0", id, result: { action: "accept", content: { name } } });
    },
  });
  const client = {
    who,
    tally,
    talk,
    usesDesk,
    unique,
    ear,
    uri: `notes://${who}`,
    isSubscribed: false,
    notify: (/** @type {string} */ method, params = {}) => post({ jsonrpc: "2.0", method, params }),
    lastId: () => lastId,
  };
  try {
    await greet(client, headers);
    const stream = await listen(wire, headers, client);
    const deeds = usesDesk ? [...ownDeeds, { weight: 10, does: ask }] : ownDeeds;
    const leaves = await visit(client, [...commonDeeds, ...adapt(client, deeds)]);
    if (leaves === "vanishes") return await vanish(client, wire);
    const { status } = await wire.send({ method: "DELETE", headers });
    if (status !== 204) tally.fault(`${who}: expected 204 for DELETE, found ${status}`);
    await stream.ended;
  } finally {
    wire.close();
  }
}

/**
 * @param {LegacyClient} client
 * @param {Record<string, string>} headers
 */
async function greet({ who, tally, talk, notify }, headers) {
  const capabilities = { elicitation: { form: {} } };
  const clientInfo = { name: "soak", version: "1" };
  const answer = await talk("initialize", { protocolVersion: version, capabilities, clientInfo });
  if (answer?.["result"]?.protocolVersion !== version || headers["Mcp-Session-Id"] === undefined) {
    tally.fault(`${who}: not greeted`);
  }
  headers["MCP-Protocol-Version"] = version;
  await notify("notifications/initialized");
}

/**
 * Resolves, once the stream is open, with a promise of its end.
 *
 * @param {import("./wire.js").Wire} wire
 * @param {Record<string, string>} headers
 * @param {LegacyClient} client
 */
async function listen(wire, headers, { ear }) {
  /** @type {Promise<unknown>} */
  let ended = Promise.resolve();
  await new Promise((resolve, reject) => {
    const onOpen = () => resolve(undefined);
    ended = wire.send({ method: "GET", headers, onMessage: ear.hear, onOpen }).catch(reject);
  });
  return { ended };
}

/**
 * @param {LegacyClient} client
 * @param {import("./wire.js").Wire} wire
 */
async function vanish({ talk, unique }, wire) {
  const lost = talk("tools/call", call("notes__slow", { value: unique(), ms: 1000 }), {
    isGivenUp: true,
  });
  const seen = lost.catch(() => undefined);
  await wait(50);
  wire.close();
  await seen;
}

/** @typedef {{ weight: number, does: (client: LegacyClient) => Promise<void> }} OwnDeed */
/** @type {readonly OwnDeed[]} */
const ownDeeds = [
  { weight: 4, does: subscribe },
  { weight: 6, does: touch },
  { weight: 1, does: unsubscribe },
  { weight: 3, does: cancel },
];

/** @param {LegacyClient} client @param {readonly OwnDeed[]} deeds */
function adapt(client, deeds) {
  return deeds.map(({ weight, does }) => ({ weight, does: () => does(client) }));
}

/** @param {LegacyClient} client */
async function subscribe(client) {
  const { talk, tally, who, uri, ear } = client;
  ear.allow(uri);
  const answer = await talk("resources/subscribe", { uri });
  if (answer?.["result"] === undefined) tally.fault(`${who}: not subscribed`);
  client.isSubscribed = true;
}

/** @param {LegacyClient} client */
async function unsubscribe(client) {
  if (!client.isSubscribed) return;
  client.isSubscribed = false;
  await client.talk("resources/unsubscribe", { uri: client.uri });
}

/** @param {LegacyClient} client */
async function touch(client) {
  if (!client.isSubscribed) return;
  const { talk, tally, who, uri, ear, unique } = client;
  const value = unique();
  const before = ear.times("updated");
  const answer = await talk("tools/call", call("notes__touch", { value, uri }));
  expectText(client, "notes__touch", answer, value);
  if (!(await ear.heard("updated", before + 1))) tally.fault(`${who}: change not heard`);
}

/** @param {LegacyClient} client */
async function cancel(client) {
  const giveUp = () => client.notify("notifications/cancelled", { requestId: client.lastId() });
  await abandon(client, giveUp, {});
}

/** @param {LegacyClient} client */
async function ask(client) {
  const value = client.unique();
  const answer = await client.talk("tools/call", call("desk__ask", { value }));
  expectText(client, "desk__ask", answer, `${value} by ${name}`);
}
