/**
 * What clients of both eras do, each with a value that nobody else uses, and each answer compared
 * with what only this client can have got.
 */
import { setTimeout as wait } from "node:timers/promises";
import { brief } from "./talk.js";

/**
 * @typedef {{ who: string, tally: import("./tally.js").Tally, talk: import("./talk.js").Talk,
 *   usesDesk: boolean, unique: () => string }} Client
 * @typedef {(client: Client) => Promise<void>} Deed
 * @typedef {{ weight: number, does: Deed }} Weighted
 */
/**
 * What a client of this kind may do, and how often.
 *
 * @template {Client} C
 * @typedef {{ weight: number, does: (client: C) => Promise<void> }} DeedOf
 */

const steps = 3;
/** The same of every client. */
const progressToken = "progress";

/** @type {Deed} */
async function echo(client) {
  const server = client.usesDesk && Math.random() < 0.5 ? "desk" : "notes";
  const value = client.unique();
  const answer = await client.talk("tools/call", call(`${server}__echo`, { value }));
  expectText(client, `${server}__echo`, answer, value);
}

/** @type {Deed} */
async function progress(client) {
  const value = client.unique();
  let last = 0;
  const params = { ...call("notes__steps", { value, steps }), _meta: { progressToken } };
  const answer = await client.talk("tools/call", params, {
    onNotice: ({ method, params: heard }) => {
      const isOwn = heard.message === value && heard.progressToken === progressToken;
      if (method !== "notifications/progress" || !isOwn || heard.progress <= last) {
        client.tally.fault(`${client.who} progress: expected its own, found ${brief(heard)}`);
      }
      last = heard.progress;
    },
  });
  expectText(client, "notes__steps", answer, value);
}

/** @type {Deed} */
async function slow(client) {
  const value = client.unique();
  const answer = await client.talk("tools/call", call("notes__slow", { value, ms: 300 }));
  expectText(client, "notes__slow", answer, value);
}

/** @type {Deed} */
async function prompt(client) {
  const value = client.unique();
  const answer = await client.talk("prompts/get", {
    name: "web__test_prompt_with_arguments",
    arguments: { arg1: value, arg2: client.who },
  });
  const text = answer?.["result"]?.messages?.[0]?.content?.text;
  expectSame(client, "prompt", text, `The arguments are '${value}' and '${client.who}'`, answer);
}

/** @type {Deed} */
async function read(client) {
  const uri = `test://template/${client.who}/data`;
  const answer = await client.talk("resources/read", { uri });
  const text = answer?.["result"]?.contents?.[0]?.text;
  expectSame(client, "resource", text, JSON.stringify({ id: client.who }), answer);
}

/** @type {Deed} */
async function list(client) {
  const answer = await client.talk("tools/list");
  /** @type {{ name: string }[]} */
  const tools = answer?.["result"]?.tools ?? [];
  const isListed = ["notes__echo", "desk__ask", "web__test_simple_text"].every((name) =>
    tools.some((tool) => tool.name === name),
  );
  if (!isListed) client.tally.fault(`${client.who} tools/list: found ${brief(answer)}`);
}

/**
 * Begins something slow and gives it up before it is done.
 *
 * @param {Client} client
 * @param {() => Promise<void> | void} giveUp
 * @param {import("./talk.js").Hooks} hooks
 */
export async function abandon(client, giveUp, hooks) {
  const value = client.unique();
  const params = call("notes__slow", { value, ms: 2000 });
  const ended = client.talk("tools/call", params, { ...hooks, isGivenUp: true });
  await wait(100);
  await giveUp();
  const answer = await ended;
  // Where the machine stood still, the answer was there first.
  if (answer !== undefined) expectText(client, "notes__slow, given up", answer, value);
}

/** @type {readonly Weighted[]} */
export const commonDeeds = [
  { weight: 40, does: echo },
  { weight: 12, does: progress },
  { weight: 8, does: slow },
  { weight: 12, does: prompt },
  { weight: 12, does: read },
  { weight: 2, does: list },
];

/**
 * One of them, by their weights.
 *
 * @template {Client} C
 * @param {readonly DeedOf<C>[]} deeds
 * @returns {(client: C) => Promise<void>}
 */
export function choose(deeds) {
  let at = Math.random() * deeds.reduce((sum, { weight }) => sum + weight, 0);
  const chosen = deeds.find(({ weight }) => (at -= weight) < 0);
  return (chosen ?? deeds[0])?.does ?? echo;
}

/**
 * @param {string} name
 * @param {object} args
 */
export function call(name, args) {
  return { name, arguments: args };
}

/**
 * @param {Client} client
 * @param {string} what
 * @param {import("./wire.js").Message | undefined} answer
 * @param {string} wanted
 */
export function expectText(client, what, answer, wanted) {
  expectSame(client, what, answer?.["result"]?.content?.[0]?.text, wanted, answer);
}

/**
 * @param {Client} client
 * @param {string} what
 * @param {unknown} found
 * @param {string} wanted
 * @param {unknown} answer
 */
function expectSame({ who, tally }, what, found, wanted, answer) {
  if (found !== wanted) tally.fault(`${who} ${what}: expected ${wanted}, found ${brief(answer)}`);
}
