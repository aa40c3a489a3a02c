import { afterAll, describe, expect, test } from "vitest";
import { newId, systemClock } from "../../../src/config/ambient.ts";
import type { NotedRecord } from "../../../src/contract/record.ts";
import type { ApprovalSubject } from "../../../src/policy/approvals/approval-subject.ts";
import type { Approvals } from "../../../src/policy/approvals/approvals.ts";
import { openApprovals } from "../../../src/policy/approvals/open-approvals.ts";
import { openMigrated } from "../../../src/database/open-migrated.ts";
import { load, minimal } from "../../config/support.ts";
import { principal } from "../../gateway/open-gateway.ts";
import { eventually } from "../../support/eventually.ts";
import { createTestLog } from "../../support/log.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { ann, element, keptSecret, subject, workflow } from "./subjects.ts";

const postgres = await startTestPostgres();
const opened: Approvals[] = [];
afterAll(async () => {
  for (const one of opened) await one.close();
  await postgres?.close();
});

interface Place {
  readonly stateDir: string;
  readonly url?: string | undefined;
}

interface OpenSettings {
  readonly place?: Place;
  readonly tenant?: string;
  readonly approvals?: object;
  readonly fetch?: typeof globalThis.fetch;
}

function open({ place, tenant = "default", approvals: more = {}, fetch }: OpenSettings = {}) {
  const { stateDir, url } = place ?? { stateDir: temporaryFolder() };
  const notes: NotedRecord[] = [];
  const time = { skewMs: 0 };
  const store = url === undefined ? {} : { decisions: { store: url } };
  const { config } = load({ ...minimal, ...store, tenant, approvals: more });
  const approvals = openApprovals({
    config,
    stateDir,
    decisionLog: { note: async (record) => void notes.push(record) },
    clock: { ...systemClock, nowMs: () => systemClock.nowMs() + time.skewMs },
    newId,
    ...keptSecret,
    log: createTestLog(),
    fetch,
  });
  opened.push(approvals);
  const ask = async (asked: ApprovalSubject): Promise<string> => {
    const found = await approvals.request(asked);
    return found.kind === "too_many" ? found.kind : found.approval.id;
  };
  const events = () => notes.map((note) => (note.kind === "approval" ? note.event : note.kind));
  return { approvals, time, ask, events };
}

/** `$1` how many times; ids that are later than all others. */
const copyWithdrawn = `
INSERT INTO mcp_gateway.approval
SELECT ('f' || lpad(n::text, 7, '0') || '-0000-7000-8000-000000000000')::uuid, tenant, binding,
  principal, status, requested_at, expires_at, document, arguments
FROM mcp_gateway.approval, generate_series(1, $1::int) AS n
WHERE status = 'withdrawn'`;

async function places(): Promise<readonly (readonly [string, Place])[]> {
  const url = await postgres?.createDatabase();
  const file = ["one state folder", { stateDir: temporaryFolder() }] as const;
  return url === undefined
    ? [file]
    : [file, ["one database", { stateDir: temporaryFolder(), url }] as const];
}

describe.each(await places())("approvals of two tenants in %s", (_, place) => {
  const [a, b] = [open({ place, tenant: "a" }), open({ place, tenant: "b" })];
  const ofB = subject({ secret: "of b" }, { principal: principal("alice", { tenant: "b" }) });

  test("are not there for the other one", async () => {
    const id = await b.ask(ofB);
    expect(await a.approvals.list()).toEqual([]);
    await expect(a.approvals.get(id)).rejects.toMatchObject({ code: "approval_unknown" });
    await expect(a.approvals.rule(id, ann)).rejects.toMatchObject({ code: "approval_unknown" });
    expect(await a.approvals.argumentsOf(id)).toBe(undefined);
    await a.approvals.withdraw(id);
    expect(await b.approvals.rule(id, ann)).toMatchObject({ status: "approved" });
    expect(await a.approvals.claim(id, 0, newId())).toBe(undefined);
    expect(await b.approvals.claim(id, 0, newId())).toMatchObject({ status: "used" });
    expect(a.events()).toEqual([]);
  });
});

describe.each(await places())("requests that are taken back in %s", (_, place) => {
  test("count for a while, so that nobody is asked without end", async () => {
    const { approvals, ask } = open({ place, approvals: { max_pending: 3 } });
    for (const n of [1, 2, 3]) await approvals.withdraw(await ask(subject({ n })));
    expect(await ask(subject({ n: 4 }))).toBe("too_many");
    const bob = subject({ n: 4 }, { principal: principal("bob") });
    expect(await ask(bob)).not.toBe("too_many");
  });
});

test("requests that were taken back count no more after ten minutes", async () => {
  const { approvals, ask, time } = open({ approvals: { max_pending: 1 } });
  await approvals.withdraw(await ask(subject({ n: 1 })));
  time.skewMs = 9 * 60_000;
  expect(await ask(subject({ n: 2 }))).toBe("too_many");
  time.skewMs = 11 * 60_000;
  expect(await ask(subject({ n: 2 }))).not.toBe("too_many");
});

test.runIf(postgres)(
  "what waits is listed behind more than a thousand others",
  { timeout: 120_000 },
  async () => {
    const url = (await postgres?.createDatabase()) ?? "";
    const place = { stateDir: temporaryFolder(), url };
    const { approvals, ask } = open({ place });
    const oldest = await ask(subject({ n: "oldest" }));
    await approvals.withdraw(await ask(subject({ n: "newer" })));
    const database = await openMigrated(url);
    await database.query(copyWithdrawn, [1100]);
    await database.close();
    const listed = await approvals.list();
    expect(listed).toHaveLength(1001);
    expect(listed.at(-1)?.id).toBe(oldest);
  },
);

test("a webhook is rung no more for a request that was taken back", async () => {
  const rung: string[] = [];
  const secret = `whsec_${Buffer.alloc(32).toString("base64")}`;
  const { approvals, ask } = open({
    approvals: { webhooks: [{ name: "desk", url: "https://desk.example/", secret }] },
    fetch: async (_, sent) => {
      const body = typeof sent?.body === "string" ? sent.body : "";
      const { type, data } = JSON.parse(body);
      if (type === "approval.requested") rung.push(data.approval_id);
      return new Response("", { status: 500 });
    },
  });
  const back = await ask(subject({ n: 1 }));
  await eventually(() => rung.length === 1);
  await approvals.withdraw(back);
  const next = await ask(subject({ n: 2 }));
  // It is rung again after a second, as the first one would have been before it.
  await eventually(() => rung.filter((id) => id === next).length === 2);
  expect(rung).toEqual([back, next, next]);
}, 60_000);

describe("what becomes of a request", () => {
  const secret = `whsec_${Buffer.alloc(32).toString("base64")}`;
  const webhooks = [{ name: "desk", url: "https://desk.example/", secret }];
  const short = (n: number) =>
    subject({ n }, { asked: [{ layer: workflow, match: element({ ttlSeconds: 1 }) }] });

  function openTelling() {
    const told: string[] = [];
    const opened = open({
      approvals: { webhooks },
      fetch: async (_, sent) => {
        const body = typeof sent?.body === "string" ? sent.body : "";
        told.push(JSON.parse(body).type);
        return new Response("");
      },
    });
    return { ...opened, told };
  }

  test("is told step by step, and nothing that did not happen", async () => {
    const { approvals, ask, told } = openTelling();
    const used = await ask(subject({ n: 1 }));
    await approvals.rule(used, ann);
    const request = { uses: 0, decisionId: newId() };
    await approvals.claim(used, 0, request.decisionId);
    expect(await approvals.claim(used, 0, newId())).toBe(undefined);
    await approvals.giveBack(used, request);
    await approvals.giveBack(used, request);
    const denied = await ask(subject({ n: 2 }));
    await approvals.rule(denied, { ...ann, verdict: "deny" });
    await expect(approvals.rule(denied, ann)).rejects.toThrow(/found it denied/);
    await approvals.withdraw(await ask(subject({ n: 3 })));
    await eventually(() => told.length >= 8);
    expect(told).toEqual([
      "approval.requested",
      "approval.approved",
      "approval.used",
      "approval.given_back",
      "approval.requested",
      "approval.denied",
      "approval.requested",
      "approval.withdrawn",
    ]);
  });

  test("is noted when its time is over, by one of the gateways that know of it", async () => {
    const place = { stateDir: temporaryFolder() };
    const [first, second] = [open({ place }), open({ place })];
    await first.ask(short(1));
    await second.ask(subject({ n: 2 }));
    const expired = () =>
      [...first.events(), ...second.events()].filter((event) => event === "expired");
    await eventually(() => expired().length > 0);
    await first.ask(subject({ n: 3 }));
    await second.ask(subject({ n: 4 }));
    expect(expired()).toEqual(["expired"]);
  });

  test("is told when its time is over", async () => {
    const { ask, told } = openTelling();
    await ask(short(1));
    await eventually(() => told.includes("approval.expired"));
    expect(told).toEqual(["approval.requested", "approval.expired"]);
  });
});

describe("an approval that is given back", () => {
  test("answers the same call before one that was asked for meanwhile", async () => {
    const { approvals, ask } = open();
    const first = await ask(subject({ n: 1 }));
    await approvals.rule(first, ann);
    const request = { uses: 0, decisionId: newId() };
    await approvals.claim(first, 0, request.decisionId);
    const second = await ask(subject({ n: 1 }));
    expect(second).not.toBe(first);
    await approvals.giveBack(first, request);
    expect(await ask(subject({ n: 1 }))).toBe(first);
    await approvals.rule(second, { ...ann, verdict: "deny" });
    expect(await ask(subject({ n: 1 }))).toBe(second);
  });

  test("is not by anybody but the request that took it", async () => {
    const { approvals, ask } = open();
    const id = await ask(subject({ n: 1 }));
    await approvals.rule(id, ann);
    const decisionId = newId();
    await approvals.claim(id, 0, decisionId);
    await approvals.giveBack(id, { uses: 0, decisionId: newId() });
    await approvals.giveBack(id, { uses: 1, decisionId });
    expect(await approvals.get(id)).toMatchObject({ status: "used", uses: 1 });
    await approvals.claim(id, 1, newId());
    await approvals.giveBack(id, { uses: 0, decisionId });
    expect(await approvals.get(id)).toMatchObject({ status: "used", uses: 2 });
  });

  test("is not once its time is over", async () => {
    const { approvals, ask, time } = open();
    const id = await ask(subject({ n: 1 }));
    await approvals.rule(id, ann);
    const decisionId = newId();
    await approvals.claim(id, 0, decisionId);
    time.skewMs = 3_600_000;
    await approvals.giveBack(id, { uses: 0, decisionId });
    expect(await approvals.get(id)).toMatchObject({ status: "used" });
  });
});

describe("time that was used up", () => {
  test.each([
    ["claimed", (approvals: Approvals, id: string) => approvals.claim(id, 0, newId())],
    ["looked at", (approvals: Approvals, id: string) => approvals.get(id)],
    [
      "waited for",
      (approvals: Approvals, id: string) => approvals.settled(id, new AbortController().signal),
    ],
    [
      "decided about",
      (approvals: Approvals, id: string) =>
        approvals.rule(id, { ...ann, verdict: "deny" }).catch(() => undefined),
    ],
  ])("does not come back with the clock once it was %s", async (_, see) => {
    const { approvals, ask, time, events } = open();
    const id = await ask(subject({ a: 1 }));
    await approvals.rule(id, ann);
    time.skewMs = 3_600_000;
    await see(approvals, id);
    expect(events()).toEqual(["requested", "approved", "expired"]);
    time.skewMs = 0;
    expect(await approvals.claim(id, 0, newId())).toBe(undefined);
    expect(await approvals.get(id)).toMatchObject({ status: "expired" });
  });
});
