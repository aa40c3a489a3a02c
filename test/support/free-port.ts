/**
 * A port for a program that cannot choose one itself. It is below those that systems give to whoever
 * asks for any port, so that nobody gets it by chance before the program has it, or while that program
 * is being started again.
 */
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

const first = 15_000;
const end = 32_000;
const given = new Set<number>();

/** A port of the loopback interface that nobody listened on a moment ago; never the same one twice. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(first, end);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer().listen(port, "127.0.0.1");
  try {
    await once(probe, "listening");
  } catch {
    return false;
  }
  probe.close();
  await once(probe, "close");
  return true;
}
