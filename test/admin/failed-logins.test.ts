import { describe, expect, onTestFinished, test } from "vitest";
import { FailedLogins } from "../../src/admin/failed-logins.ts";
import { openAdmin } from "../../src/admin/open-admin.ts";
import { healthRoutes } from "../../src/admin/routes/health-routes.ts";
import { statusRoutes } from "../../src/admin/routes/status-routes.ts";
import { newId, systemClock } from "../../src/config/ambient.ts";
import { sha256Of } from "../../src/contract/sha256.ts";
import type { AdminRecord } from "../../src/contract/record.ts";
import { eventually } from "../support/eventually.ts";
import { createTestLog } from "../support/log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { ask } from "./open-test-admin.ts";

/** An interface with one viewer, `eve`. */
async function open(everyMs: number, isFull = false) {
  const notes: AdminRecord[] = [];
  const log = createTestLog();
  const hands = { clock: systemClock, log };
  const note = async (record: AdminRecord): Promise<void> => {
    if (isFull) throw new Error("full");
    notes.push(record);
  };
  const sha256 = sha256Of("view-me").slice("sha256:".length);
  const admin = await openAdmin({
    ...hands,
    config: {
      http: { host: "127.0.0.1", port: 0 },
      tokens: [{ name: "eve", sha256, roles: ["viewer"] }],
    },
    stateDir: temporaryFolder(),
    name: `${process.pid}-${newId().slice(-8)}`,
    owner: "owner",
    routes: [
      ...healthRoutes(() => true),
      ...statusRoutes({ status: async () => ({}), bundles: async () => [] }),
    ],
    failedLogins: new FailedLogins({ ...hands, note, tenant: "default", newId, everyMs }),
  });
  onTestFinished(() => admin.close());
  const login = (token?: string) =>
    ask(admin, "GET /v1/status", token === undefined ? {} : { token });
  return { admin, login, notes, log };
}

describe("a failed login at the admin interface", () => {
  test("is on record, without what was sent", async () => {
    const { login, notes } = await open(60_000);
    expect((await login("guessed-secret")).status).toBe(401);
    expect(notes).toMatchObject([
      { kind: "admin", action: "login_failed", by: "nobody", tenant: "default" },
    ]);
    expect(notes[0]?.details).toEqual({ count: 1 });
    expect(JSON.stringify(notes)).not.toContain("guessed-secret");
  });

  test("is counted and not written again and again, however often somebody tries", async () => {
    const { admin, login, notes } = await open(60_000);
    for (let attempt = 0; attempt < 50; attempt += 1) await login(`guess-${attempt}`);
    await login();
    expect(notes.map(({ details }) => details["count"])).toEqual([1]);
    await admin.close();
    expect(notes.map(({ details }) => details["count"])).toEqual([1, 50]);
  });

  test("is on record later where others came before it", async () => {
    const { login, notes } = await open(50);
    await login("a");
    await login("b");
    await eventually(() => notes.length >= 2);
    const counts = notes.map(({ details }) => Number(details["count"]));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(2);
  });

  test("is none where somebody known comes, or nobody is asked who they are", async () => {
    const { admin, login, notes } = await open(60_000);
    expect((await login("view-me")).status).toBe(200);
    expect((await ask(admin, "GET /livez")).status).toBe(200);
    expect(notes).toEqual([]);
  });

  test("is refused where it cannot be recorded, too, and the log says that", async () => {
    const { login, log } = await open(60_000, true);
    expect((await login("a")).status).toBe(401);
    await eventually(() => JSON.stringify(log.lines).includes("failed admin login not recorded"));
  });
});
