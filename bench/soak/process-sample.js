/**
 * What a process holds, from `/proc`: resident memory, file descriptors, threads, and every process
 * below it, those that have ended and were not waited for among them.
 */
import { readdirSync, readFileSync } from "node:fs";

/**
 * @typedef {{ rssMb: number, fds: number, threads: number, children: number }} ProcessSample
 */

/**
 * @param {number} pid
 * @returns {ProcessSample}
 */
export function sampleProcess(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return {
    rssMb: numberIn(status, /VmRSS:\s+(\d+) kB/) / 1024,
    fds: readdirSync(`/proc/${pid}/fd`).length,
    threads: numberIn(status, /Threads:\s+(\d+)/),
    children: descendantsOf(pid).length,
  };
}

/**
 * Ids of all processes below one.
 *
 * @param {number} pid
 * @returns {number[]}
 */
export function descendantsOf(pid) {
  const parents = new Map(readdirSync("/proc").flatMap(parentOf));
  /** @param {number} above @returns {number[]} */
  const below = (above) => {
    const children = [...parents].flatMap(([child, parent]) => (parent === above ? child : []));
    return children.flatMap((child) => [child, ...below(child)]);
  };
  return below(pid);
}

/**
 * @param {string} name
 * @returns {[number, number][]}
 */
function parentOf(name) {
  if (!/^\d+$/.test(name)) return [];
  try {
    // The name of the program stands in parentheses and may hold anything.
    const stat = readFileSync(`/proc/${name}/stat`, "utf8");
    const parent = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1];
    return [[Number(name), Number(parent)]];
  } catch {
    return [];
  }
}

/**
 * @param {string} text
 * @param {RegExp} pattern
 */
function numberIn(text, pattern) {
  return Number(pattern.exec(text)?.[1] ?? Number.NaN);
}
