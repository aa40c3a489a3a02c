/**
 * Who comes, how often, and for how long: half of the clients legacy and half modern, spread over
 * all principals, each coming anew every now and then until the soak ends.
 */
import { setTimeout as wait } from "node:timers/promises";
import { choose } from "./deeds.js";
import { visitLegacy } from "./legacy-client.js";
import { visitModern } from "./modern-client.js";

/**
 * @typedef {import("./deeds.js").Client} Client
 * @typedef {"says goodbye" | "vanishes"} Leaving
 * @typedef {<C extends Client>(client: C, deeds: readonly import("./deeds.js").DeedOf<C>[]) =>
 *   Promise<Leaving>} Visit
 * @typedef {{ who: string, token: string, usesDesk: boolean, unique: () => string }} Place
 * @typedef {{ url: string, tokens: readonly string[], tally: import("./tally.js").Tally,
 *   ending: AbortSignal, clients: number, requestsPerSecond: number,
 *   visitSeconds: number }} World
 */

/** One of so many clients leaves without a word. */
const vanishing = 0.2;
/** One legacy client of so many uses the server of which each session has a connection of its own. */
const deskEvery = 25;
const afterFaultMs = 1000;

/**
 * One client of each principal and era does everything once and leaves as it should: afterwards the
 * gateway holds what it holds after any use.
 *
 * @param {World} world
 * @returns {Promise<void>}
 */
export async function warmUp(world) {
  const slots = Array.from({ length: 2 * world.tokens.length }, (_, slot) => slot);
  const visits = slots.map((slot) =>
    come(
      world,
      { ...placeOf(world, slot), usesDesk: true },
      isModern(world.tokens, slot),
      async (client, deeds) => {
        for (const { does } of deeds) await does(client);
        return "says goodbye";
      },
    ),
  );
  await Promise.all(visits);
}

/**
 * All clients, until the soak ends; resolves when the last has left.
 *
 * @param {World} world
 * @returns {Promise<void>}
 */
export async function liveOn(world) {
  const slots = Array.from({ length: world.clients }, (_, slot) => slot);
  await Promise.all(slots.map((slot) => live(world, slot)));
}

/**
 * @param {World} world
 * @param {number} slot
 */
async function live(world, slot) {
  const { ending, tally, visitSeconds } = world;
  const place = placeOf(world, slot);
  await pause(world);
  while (!ending.aborted) {
    const endMs = performance.now() + visitSeconds * 1000 * (0.5 + Math.random());
    try {
      await come(world, place, isModern(world.tokens, slot), async (client, deeds) => {
        while (!ending.aborted && performance.now() < endMs) {
          await choose(deeds)(client);
          await pause(world);
        }
        return Math.random() < vanishing ? "vanishes" : "says goodbye";
      });
    } catch (error) {
      tally.fault(`${place.who}: ${error instanceof Error ? error.message : String(error)}`);
      await wait(afterFaultMs);
    }
  }
}

/**
 * @param {World} world
 * @param {Place} place
 * @param {boolean} modern
 * @param {Visit} visit
 */
async function come(world, place, modern, visit) {
  await (modern ? visitModern : visitLegacy)(world, place, visit);
}

/**
 * @param {World} world
 * @param {number} slot
 * @returns {Place}
 */
function placeOf({ tokens }, slot) {
  const who = `c${slot}`;
  let values = 0;
  return {
    who,
    token: tokens[slot % tokens.length] ?? "",
    // On stdio a question names no call: of those who share a connection only one may be asked.
    usesDesk: isModern(tokens, slot) ? slot < 2 * tokens.length : slot % deskEvery === 0,
    unique: () => `${who}-${(values += 1)}`,
  };
}

/**
 * Both eras for each principal.
 *
 * @param {readonly string[]} tokens
 * @param {number} slot
 */
function isModern(tokens, slot) {
  return Math.floor(slot / tokens.length) % 2 === 1;
}

/** @param {World} world */
async function pause({ clients, requestsPerSecond, ending }) {
  const meanMs = (1000 * clients) / requestsPerSecond;
  const ms = meanMs * (0.5 + Math.random());
  await wait(ms, undefined, { signal: ending }).catch(() => {});
}
