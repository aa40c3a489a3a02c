/**
 * Clients that leave before the front has got to their request, or while it waits for its turn.
 */
import { connect } from "node:net";
import { setImmediate as turn, setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { eventually } from "../../../support/eventually.ts";
import { untilCancelled } from "./fake-gateway.ts";
import { modern } from "./messages.ts";
import type { Sent } from "./open-front.ts";
import { openFront, usualHeaders } from "./open-front.ts";

const callEcho = modern("tools/call", { name: "echo", arguments: {} });
const listen = modern("subscriptions/listen", { notifications: { toolsListChanged: true } });

/** The bytes of a request. */
function bytesOf({ headers = {}, body }: Sent): string {
  const text = JSON.stringify(body);
  const lines = Object.entries({ Host: "localhost", ...usualHeaders, ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const length = `Content-Length: ${Buffer.byteLength(text)}\r\n`;
  return `POST /mcp HTTP/1.1\r\n${lines.join("")}${length}\r\n${text}`;
}

function open(port: number, ...requests: readonly Sent[]) {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(requests.map(bytesOf).join(""));
  return socket;
}

/** As many turns of the event loop as the end of a socket needs, and more. */
async function hearing(): Promise<void> {
  for (let turns = 0; turns < 50; turns += 1) await turn();
}

test("a client that left while its headers were checked has cancelled its call", async () => {
  const front = await openFront({ act: untilCancelled });
  let endChecks = (): void => {};
  front.checking.mayEnd = new Promise((resolve) => {
    endChecks = resolve;
  });
  const socket = open(front.port, callEcho);
  await eventually(() => front.checking.begun === 1);
  socket.destroy();
  await hearing();
  endChecks();
  await delay(100);
  expect(front.actions).toHaveLength(0);
});

test("a client that left is heard to leave by what waits behind another answer", async () => {
  const front = await openFront({ act: untilCancelled });
  const socket = open(front.port, callEcho, listen, listen);
  await eventually(() => front.actions.length === 1 && front.ears.size === 2);
  socket.destroy();
  await eventually(() => front.ears.size === 0);
  expect(front.actions[0]?.signal.aborted).toBe(true);
});

test("requests that were sent at once are answered in turn", async () => {
  const front = await openFront();
  const socket = open(front.port, callEcho, callEcho, callEcho);
  let received = "";
  socket.on("data", (chunk) => (received += chunk.toString("utf8")));
  await eventually(() => received.split("HTTP/1.1 200").length === 4);
  expect(front.actions).toHaveLength(3);
  socket.destroy();
});
