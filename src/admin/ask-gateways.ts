/**
 * Asks the gateways that run on this machine, each on its socket. One that does not answer is left
 * out: it may have ended meanwhile.
 */
import { request as openRequest } from "node:http";
import { listSockets } from "./admin-socket.ts";

const patienceMs = 3000;
const maxAnswerBytes = 4 * 1024 * 1024;

export interface GatewayAnswer {
  readonly socketPath: string;
  readonly status: number;
  /** Parsed; whoever asked knows its shape. */
  readonly body: unknown;
}

/** What every gateway of this state folder answers to a GET. */
export async function askGateways(
  stateDir: string,
  path: string,
): Promise<readonly GatewayAnswer[]> {
  const sockets = await listSockets(stateDir);
  const answers = await Promise.all(sockets.map((socketPath) => askOne(socketPath, path)));
  return answers.filter((answer) => answer !== undefined);
}

async function askOne(socketPath: string, path: string): Promise<GatewayAnswer | undefined> {
  try {
    const { status, text } = await get(socketPath, path);
    return { socketPath, status, body: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function get(socketPath: string, path: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(patienceMs);
    const asked = openRequest({ socketPath, path, signal }, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on("data", (chunk: Buffer) => {
        length += chunk.length;
        if (length > maxAnswerBytes) response.destroy(new Error("the answer is too long"));
        else chunks.push(chunk);
      });
      response.on("error", reject);
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
      });
    });
    asked.on("error", reject);
    asked.end();
  });
}
