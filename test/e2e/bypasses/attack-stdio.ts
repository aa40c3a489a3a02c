/**
 * One attack over stdio: lines in, and what became of them: at the client, at the server, on record.
 */
import { hash } from "node:crypto";
import { eventually } from "../../support/eventually.ts";
import { serveCommand } from "../../support/gateway-process.ts";
import { startRawClient } from "../../support/raw-client.ts";
import type { Decision, HostileSetting } from "./hostile-setting.ts";
import { acts } from "./hostile-setting.ts";

export interface AttackReport {
  /** All that the client got, in order, without the handshake and the last call. */
  readonly answers: readonly Record<string, unknown>[];
  /** Requests that act, as server `h` got them, without the last call. */
  readonly reached: readonly Record<string, unknown>[];
  /** Without the last call. */
  readonly decisions: readonly Decision[];
  readonly setting: HostileSetting;
  readonly stderr: string;
}

const lastArguments = { mark: "the end" };
const lastDigest = `sha256:${hash("sha256", JSON.stringify(lastArguments))}`;

/**
 * Sends each line, a string as it is; waits until as many are answered as `expected` says, each one
 * if nothing is said; then makes one good call, so that what is not answered is dealt with, too.
 */
export async function attackStdio(
  setting: HostileSetting,
  lines: readonly (string | object | Buffer)[],
  expected = lines.length,
): Promise<AttackReport> {
  const client = await startRawClient(serveCommand(setting.config, setting.env));
  await client.request("tools/list");
  const before = client.received.length;
  for (const line of lines) {
    if (Buffer.isBuffer(line)) client.child.stdin.write(Buffer.concat([line, Buffer.from("\n")]));
    else client.send(line);
  }
  const answered = () => client.received.slice(before).filter(isAnswer);
  await eventually(() => answered().length >= expected, 60_000);
  const last = await client.call("h__echo", lastArguments);
  if (!JSON.stringify(last).includes("the end")) {
    throw new Error(`expected the last call to be made, found ${JSON.stringify(last)}`);
  }
  await client.end();
  const decisions = await setting.decisions();
  return {
    answers: client.received
      .slice(before)
      .map((message) => Object(message))
      .filter((message) => message.id !== last["id"]),
    reached: acts(setting.received("h")).filter(
      (message) => !JSON.stringify(message).includes("the end"),
    ),
    decisions: decisions.filter(({ args_sha256: args }) => args !== lastDigest),
    setting,
    stderr: client.stderr(),
  };
}

/** Not a request or a notice of the gateway. */
function isAnswer(message: unknown): boolean {
  return "id" in Object(message) && !("method" in Object(message));
}

/** A `tools/call` as text, so that its members can be written twice or misspelt. */
export function callText(id: string | number, params: string, more = ""): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"method":"tools/call","params":${params}${more}}`;
}
