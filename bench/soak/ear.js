/**
 * What a client hears that belongs to none of its calls: changes of the resources that it
 * subscribed to, and of nobody else's.
 */
import { setTimeout as wait } from "node:timers/promises";
import { brief } from "./talk.js";

const patienceMs = 20_000;
const lookEveryMs = 20;

/**
 * @typedef {{ hear: (notice: import("./wire.js").Message) => void,
 *   allow: (uri: string) => void,
 *   heard: (what: "acknowledged" | "updated", times: number) => Promise<boolean>,
 *   times: (what: "acknowledged" | "updated") => number }} Ear
 */

/**
 * @param {import("./tally.js").Tally} tally
 * @param {string} who
 * @returns {Ear}
 */
export function createEar(tally, who) {
  /** @type {Set<string>} */
  const allowed = new Set();
  const counts = { acknowledged: 0, updated: 0 };
  return {
    allow: (uri) => void allowed.add(uri),
    times: (what) => counts[what],
    hear: (notice) => {
      switch (notice["method"]) {
        case "notifications/subscriptions/acknowledged":
          counts.acknowledged += 1;
          return;
        case "notifications/resources/updated":
          if (allowed.has(notice["params"].uri)) counts.updated += 1;
          else tally.fault(`${who}: heard of a foreign resource: ${brief(notice)}`);
          return;
        case "notifications/tools/list_changed":
        case "notifications/prompts/list_changed":
        case "notifications/resources/list_changed":
          return;
        default:
          tally.fault(`${who}: heard ${brief(notice)}`);
      }
    },
    heard: async (what, times) => {
      const deadlineMs = performance.now() + patienceMs;
      while (counts[what] < times && performance.now() < deadlineMs) await wait(lookEveryMs);
      return counts[what] >= times;
    },
  };
}
