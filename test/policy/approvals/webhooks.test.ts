import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, Server } from "node:http";
import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import { newId, systemClock } from "../../../src/config/ambient.ts";
import { makeApproval, shownArguments } from "../../../src/policy/approvals/approval-subject.ts";
import { Webhooks } from "../../../src/policy/approvals/webhooks.ts";
import { eventually } from "../../support/eventually.ts";
import { createTestLog } from "../../support/log.ts";
import { subject } from "./subjects.ts";

const key = Buffer.from("0123456789abcdef0123456789abcdef");
const secret = `whsec_${key.toString("base64")}`;

const wanted = async () => true;

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly path: string | undefined;
}

const open: { readonly server: Server; readonly webhooks: Webhooks }[] = [];
afterEach(async () => {
  for (const { server, webhooks } of open.splice(0)) {
    await webhooks.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** A receiver that answers with these statuses, and then with 204. */
async function receiver(statuses: readonly number[] = [], includeArguments = false) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => {
      received.push({ headers: request.headers, body, path: request.url });
      response.writeHead(statuses[received.length - 1] ?? 204, { location: "/elsewhere" }).end();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const log = createTestLog();
  const webhooks = new Webhooks({
    webhooks: [{ name: "desk", url: `http://127.0.0.1:${port}/hook`, secret, includeArguments }],
    fetch: globalThis.fetch,
    clock: systemClock,
    newId,
    log,
    retryAfterMs: [20],
  });
  open.push({ server, webhooks });
  return { received, webhooks };
}

const held = subject({ id: 12_345_678_901_234, note: "a\u202E" });
const approval = makeApproval(
  held,
  { ttlMs: 60_000, maxTtlMs: 60_000 },
  newId(),
  systemClock.nowMs(),
);

describe("a webhook", () => {
  test("is signed over its id, its time and its bytes", async () => {
    const { received, webhooks } = await receiver();
    webhooks.tell(approval, shownArguments(held), wanted);
    await eventually(() => received.length === 1);
    const [first] = received;
    if (first === undefined) throw new Error("expected a delivery");
    const { headers, body } = first;
    const id = String(headers["webhook-id"]);
    const timestamp = String(headers["webhook-timestamp"]);
    const mac = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
    expect(headers["webhook-signature"]).toBe(`v1,${mac}`);
    expect(Math.abs(Number(timestamp) - Date.now() / 1000)).toBeLessThan(60);
    const { type, data } = JSON.parse(body);
    expect(type).toBe("approval.requested");
    expect(data).toMatchObject({ approval_id: approval.id, server: "crm", tool: "wipe" });
  });

  test("says where the answer goes", async () => {
    const { received, webhooks } = await receiver();
    webhooks.tell(approval, "{}", wanted);
    await eventually(() => received.length === 1);
    expect(JSON.parse(received[0]?.body ?? "").data.answer).toEqual({
      method: "POST",
      approve: `/v1/approvals/${approval.id}/approve`,
      deny: `/v1/approvals/${approval.id}/deny`,
    });
  });

  test("says what became of a request, signed, and whose word that is", async () => {
    const { received, webhooks } = await receiver([500], true);
    const voice = { by: "ann", channel: "cli", reason: "asked" } as const;
    const timeMs = systemClock.nowMs();
    const denied = { ...approval, status: "denied" } as const;
    webhooks.tellStep(denied, { event: "denied", timeMs, voice });
    await eventually(() => received.length === 2);
    const [, again] = received;
    if (again === undefined) throw new Error("expected a delivery");
    const { headers, body } = again;
    const [id, timestamp] = [headers["webhook-id"], headers["webhook-timestamp"]].map(String);
    const mac = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
    expect(headers["webhook-signature"]).toBe(`v1,${mac}`);
    expect(JSON.parse(body)).toMatchObject({
      type: "approval.denied",
      timestamp: new Date(timeMs).toISOString(),
      data: { approval_id: approval.id, status: "denied", by: "ann", reason: "asked" },
    });
    expect(body).not.toContain("12345678901234");
  });

  test("may still arrive while the process that sends it ends, and no longer", async () => {
    const { received, webhooks } = await receiver([500]);
    webhooks.tellStep(approval, { event: "approved", timeMs: 0 });
    await webhooks.close(20_000);
    expect(received).toHaveLength(2);
    const other = await receiver(Array.from({ length: 10_000 }, () => 500));
    other.webhooks.tellStep(approval, { event: "approved", timeMs: 0 });
    await other.webhooks.close(50);
    const before = other.received.length;
    const later = await receiver();
    later.webhooks.tell(approval, "{}", wanted);
    await eventually(() => later.received.length === 1);
    // One may have been on its way.
    expect(other.received.length).toBeLessThanOrEqual(before + 1);
  });

  test("has the arguments where the configuration says so, and not otherwise", async () => {
    const without = await receiver();
    const withThem = await receiver([], true);
    for (const { webhooks } of [without, withThem])
      webhooks.tell(approval, shownArguments(held), wanted);
    await eventually(() => without.received.length + withThem.received.length === 2);
    expect(without.received[0]?.body).not.toContain("12345678901234");
    expect(JSON.parse(without.received[0]?.body ?? "").data).not.toHaveProperty("arguments");
    expect(JSON.parse(withThem.received[0]?.body ?? "").data.arguments).toEqual({
      id: 12_345_678_901_234,
      note: "a\u202E",
    });
  });

  test("is tried again with the same id until somebody takes it", async () => {
    const { received, webhooks } = await receiver([500, 503]);
    webhooks.tell(approval, "{}", wanted);
    await eventually(() => received.length === 3);
    expect(new Set(received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
  });

  test("follows no redirect", async () => {
    const { received, webhooks } = await receiver([307]);
    webhooks.tell(approval, "{}", wanted);
    await eventually(() => received.length === 2);
    expect(received.map(({ path }) => path)).toEqual(["/hook", "/hook"]);
  });

  test("is not tried again once nobody waits for the answer", async () => {
    const { received, webhooks } = await receiver(Array.from({ length: 10_000 }, () => 500));
    let isWanted = true;
    webhooks.tell(approval, "{}", async () => isWanted);
    await eventually(() => received.length >= 2);
    isWanted = false;
    const before = received.length;
    const other = { ...approval, id: newId() };
    webhooks.tell(other, "{}", wanted);
    const count = (id: string) =>
      received.filter(({ body }) => JSON.parse(body).data.approval_id === id).length;
    await eventually(() => count(other.id) >= 5);
    // One may have been on its way.
    expect(count(approval.id)).toBeLessThanOrEqual(before + 1);
  });

  test("is given up with its request", async () => {
    const { received, webhooks } = await receiver();
    webhooks.tell({ ...approval, expires_at: new Date(0).toISOString() }, "{}", wanted);
    webhooks.tell(approval, "{}", wanted);
    await eventually(() => received.length === 1);
    expect(JSON.parse(received[0]?.body ?? "").data.expires_at).toBe(approval.expires_at);
  });
});
