import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newId, systemClock } from "../../../src/config/ambient.ts";
import type { NotedRecord } from "../../../src/contract/record.ts";
import { openApprovals } from "../../../src/policy/approvals/open-approvals.ts";
import { load, minimal } from "../../config/support.ts";
import { createTestLog } from "../../support/log.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { ann, keptSecret, subject } from "./subjects.ts";

const postgres = await startTestPostgres();
let url = "";
beforeAll(async () => {
  url = (await postgres?.createDatabase()) ?? "";
});
afterAll(() => postgres?.close());

const opened: { readonly close: () => Promise<void> }[] = [];
afterAll(async () => {
  for (const one of opened) await one.close();
});

function open(more: object = {}) {
  const notes: NotedRecord[] = [];
  const { config } = load({ ...minimal, decisions: { store: url }, approvals: more });
  const approvals = openApprovals({
    config,
    stateDir: temporaryFolder(),
    decisionLog: { note: async (record) => void notes.push(record) },
    clock: systemClock,
    newId,
    ...keptSecret,
    log: createTestLog(),
    fetch: undefined,
  });
  opened.push(approvals);
  return { approvals, notes };
}

describe.runIf(postgres)("approvals in Postgres", () => {
  test("are found by the same call in another gateway, and by no other", async () => {
    const [one, other] = [open(), open()];
    const asked = subject({ id: 1 });
    const first = await one.approvals.request(asked);
    const second = await other.approvals.request(asked);
    const third = await other.approvals.request(subject({ id: 2 }));
    expect([first.kind, second.kind, third.kind]).toEqual(["opened", "found", "opened"]);
    expect(one.notes).toHaveLength(1);
    expect(other.notes).toHaveLength(1);
  });

  test("are asked once by gateways that ask at the same time", async () => {
    const [one, other] = [open(), open()];
    const asked = subject({ id: 3 });
    const asking = Array.from({ length: 10 }, () => [
      one.approvals.request(asked),
      other.approvals.request(asked),
    ]);
    const all = await Promise.all(asking.flat());
    expect(all.filter(({ kind }) => kind === "opened")).toHaveLength(1);
    expect(all.filter(({ kind }) => kind === "found")).toHaveLength(19);
  });

  test("are used by one of a hundred racers in two gateways", async () => {
    const [one, other] = [open(), open()];
    const asked = await one.approvals.request(subject({ id: 4 }));
    if (asked.kind !== "opened") throw new Error("expected a new request");
    const { id } = asked.approval;
    await other.approvals.rule(id, ann);
    const claiming = Array.from({ length: 50 }, () => [
      one.approvals.claim(id, 0, newId()),
      other.approvals.claim(id, 0, newId()),
    ]);
    const claims = await Promise.all(claiming.flat());
    expect(claims.filter((claimed) => claimed !== undefined)).toHaveLength(1);
    const used = [...one.notes, ...other.notes].filter(
      (note) => note.kind === "approval" && note.event === "used",
    );
    expect(used).toHaveLength(1);
  }, 60_000);

  test("keep arguments as they are, and forget them when nobody has to see them", async () => {
    const { approvals } = open();
    const args = { text: "\u0000 and \uD800", deep: [1e21, -0.5] };
    const asked = await approvals.request(subject(args));
    if (asked.kind !== "opened") throw new Error("expected a new request");
    const { id } = asked.approval;
    expect(await approvals.argumentsOf(id)).toBe(JSON.stringify(args));
    await approvals.rule(id, { ...ann, verdict: "deny" });
    expect(await approvals.argumentsOf(id)).toBe(undefined);
    expect(await approvals.get(id)).toMatchObject({ status: "denied" });
  });

  test("tell those who wait", async () => {
    const [one, other] = [open(), open()];
    const asked = await one.approvals.request(subject({ id: 5 }));
    if (asked.kind !== "opened") throw new Error("expected a new request");
    const { id } = asked.approval;
    const waiting = one.approvals.settled(id, new AbortController().signal);
    await other.approvals.rule(id, ann);
    expect(await waiting).toMatchObject({ id, status: "approved" });
  });

  test("run out by the clock of the database", async () => {
    const { approvals } = open({ ttl: "1ms" });
    const asked = await approvals.request(subject({ id: 6 }));
    if (asked.kind !== "opened") throw new Error("expected a new request");
    const ruled = approvals.rule(asked.approval.id, ann);
    await expect(ruled).rejects.toMatchObject({ code: "approval_closed" });
  });

  test("that nobody has are unknown, whatever the id is", async () => {
    const { approvals } = open();
    for (const id of [newId(), "x'; DROP TABLE mcp_gateway.approval; --", ""]) {
      await expect(approvals.get(id)).rejects.toMatchObject({ code: "approval_unknown" });
      await expect(approvals.rule(id, ann)).rejects.toMatchObject({ code: "approval_unknown" });
    }
  });
});
