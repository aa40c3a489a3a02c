import { createServer } from "node:http";
import { once } from "node:events";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { openAdmin } from "../../../src/admin/open-admin.ts";
import { approvalRoutes } from "../../../src/admin/routes/approval-routes.ts";
import { newId, systemClock } from "../../../src/config/ambient.ts";
import { sha256Of } from "../../../src/contract/sha256.ts";
import { openApprovalDesk } from "../../../src/gateway/approval-desk.ts";
import { ask } from "../../admin/open-test-admin.ts";
import { load, minimal } from "../../config/support.ts";
import { eventually } from "../../support/eventually.ts";
import { createTestLog } from "../../support/log.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { readReply } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileApprovingPolicies, openApproving } from "./open-approving.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileApprovingPolicies();
});

/** A receiver of webhooks; what it was sent, in order. */
async function openDesk() {
  const received: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => {
      received.push(body);
      response.writeHead(204).end();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return { url: `http://127.0.0.1:${port}/hook`, received };
}

test("a webhook says how to answer, and the answer through the admin interface lets the call run", async () => {
  const desk = await openDesk();
  const secret = `whsec_${Buffer.alloc(32).toString("base64")}`;
  const { call, approvals, sent } = openApproving(policies, {
    settings: { approvals: { wait: "60s", webhooks: [{ name: "desk", url: desk.url, secret }] } },
  });
  const sha256 = sha256Of("token-of-ann").slice("sha256:".length);
  const admin = await openAdmin({
    config: {
      http: { host: "127.0.0.1", port: 0 },
      tokens: [{ name: "ann", sha256, roles: ["approver"] }],
    },
    stateDir: temporaryFolder(),
    name: `${process.pid}-${newId().slice(-8)}`,
    owner: "owner",
    routes: approvalRoutes(openApprovalDesk(approvals, load(minimal).config.approvals, ["owner"])),
    clock: systemClock,
    log: createTestLog(),
  });
  onTestFinished(() => admin.close());

  const calling = call("wipe", { id: "C-17" });
  await eventually(() => desk.received.length === 1);
  const { answer } = JSON.parse(desk.received[0] ?? "").data;
  expect(sent()).toEqual([]);
  const answered = await ask(admin, `${answer.method} ${answer.approve}`, {
    token: "token-of-ann",
    body: { reason: "asked for" },
  });
  expect(answered).toMatchObject({ status: 200, body: { status: "approved" } });
  expect(JSON.stringify(readReply(await calling))).toContain("done");
  expect(sent()).toHaveLength(1);
  await eventually(() => desk.received.length >= 3);
  const steps = desk.received.map((body) => {
    const { type, data } = JSON.parse(body);
    return [type, data.by];
  });
  expect(steps).toContainEqual(["approval.approved", "ann"]);
  expect(steps).toContainEqual(["approval.used", null]);
}, 120_000);
