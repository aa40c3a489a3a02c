/**
 * Budgets over the admin interface: who may look, who may change, and what is on record.
 */
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { openAdmin } from "../../src/admin/open-admin.ts";
import { budgetRoutes } from "../../src/admin/routes/budget-routes.ts";
import { newId, systemClock } from "../../src/config/ambient.ts";
import type { NotedRecord } from "../../src/contract/record.ts";
import { sha256Of } from "../../src/contract/sha256.ts";
import { openBudgetDesk } from "../../src/gateway/budget-desk.ts";
import { openJournalStore } from "../../src/policy/usage/journal-store.ts";
import { chargeOf } from "../policy/usage/racers.ts";
import { createTestLog } from "../support/log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { ask } from "./open-test-admin.ts";

const tokenOf = (role: "viewer" | "approver" | "operator") => ({
  name: `${role}-token`,
  sha256: sha256Of(role).slice("sha256:".length),
  roles: [role],
});

/** Two counters, of alice and of bob, and everybody's token. */
async function open() {
  const stateDir = temporaryFolder();
  const folder = join(stateDir, "usage");
  const store = async () => openJournalStore({ folder, clock: systemClock });
  const first = await store();
  await first.reserve([chargeOf({ name: "refunds", limit: 10 }, { amount: 2.5 })]);
  await first.reserve([chargeOf({ name: "refunds", limit: 10 }, { user: "bob", amount: 10 })]);
  await first.close();
  const notes: NotedRecord[] = [];
  const note = async (record: NotedRecord) => void notes.push(record);
  const desk = { tenant: "default", clock: systemClock, newId, note };
  const admin = await openAdmin({
    config: {
      http: { host: "127.0.0.1", port: 0 },
      tokens: [tokenOf("viewer"), tokenOf("approver"), tokenOf("operator")],
    },
    stateDir,
    name: `${process.pid}-${newId().slice(-8)}`,
    owner: "owner",
    routes: budgetRoutes(openBudgetDesk({ ...desk, open: store })),
    clock: systemClock,
    log: createTestLog(),
  });
  onTestFinished(() => admin.close());
  const as = (token: string, line: string, body?: object) =>
    ask(admin, line, { token, ...(body === undefined ? {} : { body }) });
  return { admin, as, notes };
}

const which = { layer: "crm", counter: "refunds", key: { user: "bob" }, reason: "black friday" };

describe("budgets over the admin interface", () => {
  test("are listed for every role, and by what the query names", async () => {
    const { as, admin } = await open();
    const { body } = await as("viewer", "GET /v1/budgets");
    expect(body).toMatchObject({
      items: [
        { layer: "crm", counter: "refunds", key: { user: "alice" }, used: 2.5, remaining: 7.5 },
        { layer: "crm", counter: "refunds", key: { user: "bob" }, used: 10, remaining: 0 },
      ],
    });
    const bob = await as("approver", "GET /v1/budgets?layer=crm&counter=refunds&user=bob");
    expect(bob.body).toMatchObject({ items: [{ key: { user: "bob" } }] });
    const none = await as("viewer", "GET /v1/budgets?layer=mail");
    expect(none.body).toEqual({ items: [] });
    expect((await as("viewer", "GET /v1/budgets?usr=bob")).status).toBe(400);
    expect((await ask(admin, "GET /v1/budgets")).status).toBe(401);
  });

  test("are raised by operators, in the name of the token", async () => {
    const { as, notes } = await open();
    const body = { ...which, amount: 5, for: "2h" };
    for (const role of ["viewer", "approver"]) {
      expect((await as(role, "POST /v1/budgets/grant", body)).status).toBe(403);
    }
    expect(notes).toEqual([]);
    const raised = await as("operator", "POST /v1/budgets/grant", body);
    expect(raised).toMatchObject({ status: 200, body: { limit: 15, granted: 5, remaining: 5 } });
    expect(notes).toMatchObject([
      {
        kind: "admin",
        action: "budget_grant",
        by: "operator-token",
        reason: "black friday",
        subject: "budget crm/refunds user=bob",
        details: { amount: 5, for_ms: 7_200_000 },
      },
    ]);
  });

  test("begin anew for one key, or for all where that is said", async () => {
    const { as, notes } = await open();
    const line = "POST /v1/budgets/reset";
    expect((await as("viewer", line, which)).status).toBe(403);
    expect((await as("operator", line, { ...which, key: {} })).status).toBe(400);
    const one = await as("operator", line, which);
    expect(one).toMatchObject({ status: 200, body: { items: [{ used: 0, remaining: 10 }] } });
    const { key: _, ...every } = which;
    const all = await as("operator", line, { ...every, all: true });
    expect(all.body).toMatchObject({ items: [{ used: 0 }, { used: 0 }] });
    expect(notes).toHaveLength(3);
  });

  test.each([
    ["no reason", { layer: "crm", counter: "refunds", amount: 5 }],
    ["nothing granted", { ...which, amount: 0 }],
    ["less than before", { ...which, amount: -5 }],
    ["a time that is none", { ...which, amount: 5, for: "soon" }],
    ["a key that nobody has", { ...which, amount: 5, key: { role: "x" } }],
    ["another member", { ...which, amount: 5, limit: 99 }],
  ])("are not raised with %s", async (_, body) => {
    const { as, notes } = await open();
    const answer = await as("operator", "POST /v1/budgets/grant", body);
    expect(answer).toMatchObject({
      status: 400,
      body: { error: { code: "admin_request_invalid" } },
    });
    expect(notes).toEqual([]);
  });

  test("that nobody used, or that several are meant by, are not raised", async () => {
    const { as } = await open();
    const unknown = { ...which, amount: 5, counter: "other" };
    const several = { ...which, amount: 5, key: {} };
    for (const body of [unknown, several]) {
      const answer = await as("operator", "POST /v1/budgets/grant", body);
      expect(answer).toMatchObject({ status: 404, body: { error: { code: "budget_unknown" } } });
    }
  });
});
