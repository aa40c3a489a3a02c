import { describe, expect, test } from "vitest";
import { load, minimal, problemsOf } from "./support.ts";

const secret = `whsec_${Buffer.alloc(32).toString("base64")}`;
const hook = { name: "desk", url: "https://desk.example/hook", secret };
const withHooks = (...webhooks: readonly object[]) => ({ ...minimal, approvals: { webhooks } });

describe("approvals in the configuration", () => {
  test("have defaults, and people are users of the machine of the same name", () => {
    const { approvals } = load({ ...minimal, approvals: { approvers: { ann: {} } } }).config;
    expect(approvals).toMatchObject({ waitMs: 50_000, ttlMs: 900_000, maxTtlMs: 86_400_000 });
    expect([...approvals.approvers]).toEqual([["ann", { groups: [], osUsers: ["ann"] }]]);
  });

  test.each([
    ["http elsewhere", { ...hook, url: "http://desk.example/hook" }],
    ["a password", { ...hook, url: "https://a:b@desk.example/hook" }],
    ["no URL", { ...hook, url: "desk" }],
  ])("tell nobody through %s", (_, webhook) => {
    expect(problemsOf(withHooks(webhook))).toEqual([
      expect.stringContaining("approvals.webhooks.0.url: expected https, or http on this machine"),
    ]);
  });

  test("tell another program of this machine over http", () => {
    const { config } = load(withHooks({ ...hook, url: "http://127.0.0.1:8080/hook" }));
    expect(config.approvals.webhooks).toMatchObject([{ includeArguments: false }]);
  });

  test.each(["short", "whsec_c2hvcnQ=", `whsec_${"!".repeat(40)}`])(
    "are not signed with %s, which is not shown",
    (weak) => {
      const [problem = ""] = problemsOf(withHooks({ ...hook, secret: weak }));
      expect(problem).toContain("expected whsec_ and 24 to 64 random bytes in base64");
      expect(problem).not.toContain(weak);
    },
  );

  test("name a webhook once, and take its secrets from the environment", () => {
    expect(problemsOf(withHooks(hook, hook))).toEqual([
      "approvals.webhooks.1.name is already that of approvals.webhooks.0",
    ]);
    const hidden = { ...hook, url: "${env:URL}", secret: "${env:SECRET}" };
    const { config } = load(withHooks(hidden), { URL: hook.url, SECRET: secret });
    expect(config.approvals.webhooks).toMatchObject([{ url: hook.url, secret }]);
  });

  test("take one user of the machine for one person", () => {
    const approvers = { ann: {}, bob: { os_users: ["bob", "ann"] } };
    expect(problemsOf({ ...minimal, approvals: { approvers } })).toEqual([
      'approvals.approvers.bob: the user "ann" of this machine is already "ann"',
    ]);
  });
});
