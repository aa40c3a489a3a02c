/**
 * A port of loopback that nobody listened on a moment ago. It is below those that systems give to
 * whoever asks for any port or connects to somewhere, so that nobody gets it by chance before its
 * program has it, or while that program is being started again.
 */
import { randomInt } from "node:crypto";
import { createServer } from "node:net";

const first = 15_000;
const end = 32_000;

/** @returns {Promise<number>} */
export async function freePort() {
  for (;;) {
    const port = randomInt(first, end);
    if (await isFree(port)) return port;
  }
}

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer().once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
