import { expect, onTestFinished, test } from "vitest";
import { newId, systemClock } from "../../../src/config/ambient.ts";
import { canonicalJson } from "../../../src/contract/canonical-json.ts";
import { sha256Of } from "../../../src/contract/sha256.ts";
import { bindingOf } from "../../../src/policy/approvals/approval-subject.ts";
import { openApprovals } from "../../../src/policy/approvals/open-approvals.ts";
import { load, minimal } from "../../config/support.ts";
import { createTestLog } from "../../support/log.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { ann, keptSecret, subject } from "./subjects.ts";

test("what is kept of a call is under a key, so that nobody tries arguments against it", async () => {
  const approvals = openApprovals({
    config: load(minimal).config,
    stateDir: temporaryFolder(),
    decisionLog: { note: async () => {} },
    clock: systemClock,
    newId,
    ...keptSecret,
    log: createTestLog(),
    fetch: undefined,
  });
  onTestFinished(() => approvals.close());
  const asked = subject({ pin: "1234" });
  const opened = await approvals.request(asked);
  const id = opened.kind === "too_many" ? "" : opened.approval.id;
  await approvals.rule(id, { ...ann, verdict: "deny", reason: "hunter2 is no reason" });
  const kept = await approvals.get(id);
  const digest = sha256Of(canonicalJson({ pin: "1234" }));
  expect(kept.args_sha256).toBe(keptSecret.keyed("arguments", digest));
  expect(kept.binding).toBe(keptSecret.keyed("binding", bindingOf(asked)));
  expect(kept.denied?.reason).toBe("[masked] is no reason");
  for (const plain of [digest, bindingOf(asked)]) {
    expect(JSON.stringify(kept)).not.toContain(plain.slice("sha256:".length));
  }
  expect(await approvals.request(asked)).toMatchObject({ kind: "found", approval: { id } });
});
