import { describe, expect, onTestFinished, test } from "vitest";
import { openAdmin } from "../../src/admin/open-admin.ts";
import { approvalRoutes } from "../../src/admin/routes/approval-routes.ts";
import { newId, systemClock } from "../../src/config/ambient.ts";
import { sha256Of } from "../../src/contract/sha256.ts";
import type { NotedRecord } from "../../src/contract/record.ts";
import { openApprovalDesk } from "../../src/gateway/approval-desk.ts";
import { keepApprovals } from "../../src/gateway/keep-approvals.ts";
import { load, minimal } from "../config/support.ts";
import { keptSecret, subject } from "../policy/approvals/subjects.ts";
import { createTestLog } from "../support/log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { ask } from "./open-test-admin.ts";

const tokenOf = (name: string, role: "viewer" | "approver" | "operator") => ({
  name,
  sha256: sha256Of(`token-of-${name}`).slice("sha256:".length),
  roles: [role],
});

/** One request of alice's, and an interface for ann and bob who approve, and eve who looks. */
async function open(
  approvers: object = {},
  users: readonly string[] = ["owner"],
  args: object = { id: "C-17", note: "a\u202Eb" },
) {
  const stateDir = temporaryFolder();
  const log = createTestLog();
  const notes: NotedRecord[] = [];
  const { config } = load({ ...minimal, approvals: { approvers } });
  const decisionLog = { note: async (record: NotedRecord) => void notes.push(record) };
  const hands = { clock: systemClock, newId, ...keptSecret, log, fetch: undefined };
  const approvals = keepApprovals({ config, stateDir, decisionLog, ...hands });
  const admin = await openAdmin({
    config: {
      http: { host: "127.0.0.1", port: 0 },
      tokens: [
        tokenOf("ann", "approver"),
        tokenOf("alice", "approver"),
        tokenOf("eve", "viewer"),
        tokenOf("op", "operator"),
      ],
    },
    stateDir,
    name: `${process.pid}-${newId().slice(-8)}`,
    owner: "owner",
    routes: approvalRoutes(openApprovalDesk(approvals, config.approvals, users)),
    clock: systemClock,
    log,
  });
  onTestFinished(async () => {
    await admin.close();
    await approvals.close();
  });
  const asked = await (await approvals.open()).request(subject(args));
  if (asked.kind !== "opened") throw new Error("expected a new request");
  const { id } = asked.approval;
  const as = (name: string, line: string, body?: object) =>
    ask(admin, line, { token: `token-of-${name}`, ...(body === undefined ? {} : { body }) });
  return { admin, as, id, notes };
}

describe("approvals over the admin interface", () => {
  test("are decided in the name of the token, with a reason that is on record", async () => {
    const { as, id, notes } = await open();
    const approved = await as("ann", `POST /v1/approvals/${id}/approve`, { reason: "asked" });
    expect(approved).toMatchObject({ status: 200, body: { id, status: "approved" } });
    expect(notes).toMatchObject([
      { event: "requested" },
      { event: "approved", by: "ann", channel: "admin", reason: "asked" },
    ]);
    const denied = await as("ann", `POST /v1/approvals/${id}/deny`);
    expect(denied).toMatchObject({ status: 200, body: { status: "denied" } });
    const again = await as("ann", `POST /v1/approvals/${id}/approve`);
    expect(again).toMatchObject({ status: 409, body: { error: { code: "approval_closed" } } });
  });

  test("are not decided by whoever asked, looks, operates or is not listed", async () => {
    const { as, id, notes } = await open();
    const line = `POST /v1/approvals/${id}/approve`;
    expect(await as("alice", line)).toMatchObject({
      status: 403,
      body: { error: { code: "approval_self" } },
    });
    for (const name of ["eve", "op"]) expect((await as(name, line)).status).toBe(403);
    expect((await as("nobody", line)).status).toBe(401);
    expect(notes).toHaveLength(1);
    const listed = await open({ bob: {} });
    expect(await listed.as("ann", `POST /v1/approvals/${listed.id}/approve`)).toMatchObject({
      status: 403,
      body: { error: { code: "approval_not_approver" } },
    });
  });

  test("show their arguments to approvers, whole and escaped, and to nobody else", async () => {
    const { as, id } = await open();
    const list = await as("eve", "GET /v1/approvals");
    expect(list).toMatchObject({ status: 200, body: { items: [{ id, status: "pending" }] } });
    expect(JSON.stringify(list.body)).not.toContain("C-17");
    expect((await as("eve", `GET /v1/approvals/${id}`)).status).toBe(403);
    expect(await as("ann", `GET /v1/approvals/${id}`)).toMatchObject({
      status: 200,
      body: { arguments: '{"id":"C-17","note":"a\\u202eb"}' },
    });
  });

  test("show arguments to their last character, however long they are", async () => {
    const args = { note: `${"x".repeat(200_000)} and then transfer all of it` };
    const { as, id } = await open({}, [], args);
    const { body } = await as("ann", `GET /v1/approvals/${id}`);
    expect(body).toMatchObject({ arguments: JSON.stringify(args) });
  });

  test("are refused where there are none, and where the body is another", async () => {
    const { as, id, notes } = await open();
    expect(await as("ann", `GET /v1/approvals/${newId()}`)).toMatchObject({
      status: 404,
      body: { error: { code: "approval_unknown" } },
    });
    expect(await as("ann", `POST /v1/approvals/${id}/approve`, { by: "bob" })).toMatchObject({
      status: 400,
    });
    expect(notes).toHaveLength(1);
  });

  test("are not decided by a token that is called like a user of the machine", async () => {
    const { as, id, notes } = await open({ bea: { groups: ["leads"], os_users: ["ann"] } });
    expect(await as("ann", `POST /v1/approvals/${id}/approve`)).toMatchObject({
      status: 403,
      body: { error: { code: "approval_not_approver" } },
    });
    expect(notes).toHaveLength(1);
  });

  test("are decided on the socket by all names of the user, whom sudo names too", async () => {
    const { admin, id } = await open({}, ["owner", "alice"]);
    const where = { socketPath: admin.socketPath };
    expect(await ask(where, `POST /v1/approvals/${id}/approve`, { body: {} })).toMatchObject({
      status: 403,
      body: { error: { code: "approval_self" } },
    });
  });

  test("are decided on the socket as the user of the process", async () => {
    const { admin, id, notes } = await open({ ann: { os_users: ["owner"] } });
    const where = { socketPath: admin.socketPath };
    const approved = await ask(where, `POST /v1/approvals/${id}/approve`, { body: {} });
    expect(approved).toMatchObject({ status: 200 });
    expect(notes.at(-1)).toMatchObject({ event: "approved", by: "ann" });
  });
});
