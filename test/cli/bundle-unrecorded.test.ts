/**
 * The commands that change what decides, on a disk that takes no record.
 */
import { expect, test, vi } from "vitest";
import { hold } from "../../src/bundle/life/history-changes.ts";
import type * as decisionLog from "../../src/decision/decision-log.ts";
import { faultyFiles, systemError } from "../decision/faulty-files.ts";
import { createWorld, why } from "./bundle-world.ts";

vi.mock("../../src/decision/decision-log.ts", async (importOriginal) => {
  const original = await importOriginal<typeof decisionLog>();
  const files = faultyFiles({
    sync: () => {
      throw systemError("EIO");
    },
  });
  const createDecisionLog: typeof original.createDecisionLog = async (options) =>
    await original.createDecisionLog({ ...options, files });
  return { ...original, createDecisionLog };
});

test.each([
  ["rollback", "crm", "--to", "V1", ...why],
  ["activate", "crm", "V1", ...why],
  ["revoke", "crm", "V1", ...why],
  ["resume", "crm"],
])("bundle %s changes nothing where its record cannot be made durable", async (...args) => {
  const { cli, change, history, v1, v2 } = await createWorld();
  const decision = { digest: v2, at: "2026-11-22T10:00:00.000Z", by: "alice", why: null };
  const before = await change((known) => hold(known, decision));
  const refused = await cli("bundle", ...args.map((arg) => (arg === "V1" ? v1 : arg)));
  expect(refused).toMatchObject({ exitCode: 1, out: "" });
  expect(refused.err).toContain("[audit_unavailable]");
  expect(await history()).toEqual(before);
});
