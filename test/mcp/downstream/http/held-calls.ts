/**
 * Calls that wait until the test ends them, and clients that come back for their answers.
 */
import type { ActionReply } from "../../../../src/gateway/gateway.ts";
import { textResult } from "./fake-gateway.ts";
import { legacyRequest } from "./messages.ts";
import type { FrontSettings, OpenFront, OpenStream } from "./open-front.ts";
import { openFront } from "./open-front.ts";

/** A call that waits until the test ends it. */
export function heldCalls() {
  const waiting: ((reply: ActionReply) => void)[] = [];
  const act = (): Promise<ActionReply> => new Promise((resolve) => waiting.push(resolve));
  const finish = (text: string): void => waiting.shift()?.(textResult(text));
  return { act, finish };
}

export function withProgress(id: number): object {
  const params = { name: "echo", arguments: {}, _meta: { progressToken: id } };
  return legacyRequest(id, "tools/call", params);
}

export async function openHeld(settings: FrontSettings = {}) {
  const held = heldCalls();
  const front = await openFront({ act: held.act, limits: { streamAfterMs: 5 }, ...settings });
  return { ...held, front };
}

export function resumeFrom(
  front: OpenFront,
  headers: Record<string, string>,
  lastEventId: string | undefined,
): Promise<OpenStream> {
  return front.stream({ method: "GET", headers: { ...headers, "Last-Event-ID": lastEventId } });
}
