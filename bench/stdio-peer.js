/**
 * A raw client of a stdio server, as thin as it can be: one line out, one line back.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/**
 * @param {string[]} args of node
 * @param {Record<string, string | undefined>} env
 */
export function startPeer(args, env = process.env) {
  const child = spawn(process.execPath, args, { env, stdio: ["pipe", "pipe", "ignore"] });
  /** @type {Map<number, (line: string) => void>} */
  const waiting = new Map();
  let nextId = 1;
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { id } = JSON.parse(line);
    waiting.get(id)?.(line);
    waiting.delete(id);
  });
  /**
   * @param {string} method
   * @param {object} params
   * @returns {Promise<string>}
   */
  const request = (method, params) =>
    new Promise((resolve) => {
      const id = nextId;
      nextId += 1;
      waiting.set(id, resolve);
      child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    });
  return {
    pid: child.pid ?? 0,
    request,
    initialize: () =>
      request("initialize", {
        protocolVersion: "2025-11-25",
        capabilities: {},
        clientInfo: { name: "bench", version: "1" },
      }),
    end: () =>
      new Promise((resolve) => {
        child.once("exit", resolve);
        child.stdin.end();
      }),
  };
}

/** @param {number[]} values */
export function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
