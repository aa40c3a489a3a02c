/**
 * `policy test --stack`: cases meet the layers, the combining, the counters and the visibility of the
 * configuration; one that fails ends the command with 4 and says what every layer said.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { get, openStackWorld } from "./stack-world.ts";

const limit = { timeout: 300_000 };

test("a table of cases passes where each comes to what it expects", limit, async () => {
  const world = await openStackWorld();
  const outcome = await world.test([
    get("read", {}, { effect: "allow", matched_rules: ["crm.read"], data_classes: ["internal"] }),
    get("odd", { odd: true }, { effect: "allow", warnings: ["odd"] }),
    { name: "hidden", call: { server: "crm", tool: "purge" }, expect: { effect: "hidden" } },
    {
      name: "unknown",
      call: { server: "crm", tool: "x" },
      expect: { effect: "deny", reasons: ["no_rule_allows"] },
    },
    { name: "prompt", call: { server: "crm", prompt: "p" }, expect: { effect: "allow" } },
    { name: "uri", call: { server: "crm", uri: "note:///a" }, expect: { effect: "allow" } },
  ]);
  expect(outcome).toMatchObject({ exitCode: 0, err: "6 passed, 0 failed" });
});

test("a watched layer is told apart from one that is enforced", limit, async () => {
  const monday = { day: "monday" };
  const world = await openStackWorld();
  const watched = { effect: "deny", enforced: false, reasons: ["not_on_mondays"] };
  const enforced = { effect: "deny", enforced: true };
  const later = { time: "2027-01-01T00:00:00Z" };
  const outcome = await world.test([
    get("watched", monday, watched),
    get("enforced after its end", monday, enforced, later),
  ]);
  expect(outcome.exitCode).toBe(0);
});

test("the server's bundle sees its own part of the conversation alone", limit, async () => {
  const world = await openStackWorld();
  const anywhere = { effect: "deny", reasons: ["seen_anywhere"] };
  const here = { effect: "deny", reasons: ["seen_anywhere", "seen_here"] };
  const after = (labels_seen: object): object => ({ conversation: { labels_seen } });
  const outcome = await world.test([
    get("somewhere", {}, anywhere, after(["secret"])),
    get("elsewhere", {}, anywhere, after({ secret: ["mail"] })),
    get("here too", {}, here, after({ secret: ["mail", "crm"] })),
  ]);
  expect(outcome).toMatchObject({ exitCode: 0, err: "3 passed, 0 failed" });
});

test("a person's word meets what was held, and policy is asked again", limit, async () => {
  const world = await openStackWorld();
  const lena = { approval: { approved_by: ["lena"] } };
  const outcome = await world.test([
    get("held", { big: true }, { effect: "hold", holds: ["ask_a_lead"] }),
    get("agreed", { big: true }, { effect: "allow", holds: [] }, lena),
    get(
      "by another",
      { big: true },
      { effect: "deny", reasons: ["approved_by_nobody"] },
      {
        approval: { approved_by: ["bob"] },
      },
    ),
    get(
      "in part",
      { big: true, huge: true },
      { effect: "hold", holds: ["ask_security"] },
      {
        approval: { approved_by: ["lena"], rules: ["ask_a_lead"] },
      },
    ),
  ]);
  expect(outcome.exitCode).toBe(0);
});

test("obligations are those that the gateway would carry out", limit, async () => {
  const world = await openStackWorld();
  const outcome = await world.test([
    get("redacted", { redact: true }, { effect: "allow", obligations: ["redact"] }),
    get("unknown", { sing: true }, { effect: "deny", reasons: ["unknown_obligation"] }),
  ]);
  expect(outcome).toMatchObject({ exitCode: 0, err: "2 passed, 0 failed" });
});

test("a counter is used as far as the case says, and policy sees how far", limit, async () => {
  const world = await openStackWorld();
  const used = (refunds: number): object => ({ usage: { crm: { refunds } } });
  const outcome = await world.test([
    get("room", { refund: 6 }, { effect: "allow" }, used(4)),
    get("used up", { refund: 7 }, { effect: "deny", reasons: ["budget_exhausted"] }, used(4)),
    get("nearly", { refund: 1 }, { effect: "deny", reasons: ["nearly_used_up"] }, used(8)),
  ]);
  expect(outcome).toMatchObject({ exitCode: 0, err: "3 passed, 0 failed" });
});

test("arguments are held against the schema that a case gives", limit, async () => {
  const input_schema = { type: "object", required: ["id"] };
  const call = { server: "crm", tool: "get", input_schema };
  const world = await openStackWorld();
  const outcome = await world.test([
    { name: "none", call, expect: { effect: "deny", reasons: ["arguments_invalid"] } },
    { name: "one", call: { ...call, arguments: { id: 1 } }, expect: { effect: "allow" } },
  ]);
  expect(outcome.exitCode).toBe(0);
});

test("a case that fails says what was found and what each layer said", limit, async () => {
  const world = await openStackWorld();
  const outcome = await world.test([
    get("ok", {}, { effect: "allow" }),
    get("wrong", { big: true }, { effect: "allow", reasons: [] }),
  ]);
  expect(outcome.exitCode).toBe(4);
  expect(outcome.err).toBe(
    [
      "a.stack.json: wrong: failed",
      '  effect: expected "allow", found "hold"',
      '  reasons: expected [], found ["approval_required"]',
      "  crm (server): allow crm.read",
      "  flow (workflow): require_approval ask_a_lead",
      "  watched (compliance): nothing",
      "1 passed, 1 failed",
    ].join("\n"),
  );
});

test("programs and build servers read the same results", limit, async () => {
  const world = await openStackWorld();
  const cases = [
    get("ok", {}, { effect: "allow" }),
    get('<a> & "b"\u0007', {}, { effect: "hold" }),
  ];
  const outcome = await world.test(cases, "-o", "json", "--junit", "report.xml");
  const { items } = JSON.parse(outcome.out);
  expect(items).toMatchObject([
    { file: "a.stack.json", name: "ok", outcome: "pass", differences: [] },
    { outcome: "fail", found: { effect: "allow" }, layers: [{ layer: "crm" }, {}, {}] },
  ]);
  const report = readFileSync(join(world.folder, "report.xml"), "utf8");
  expect(report).toContain('<testsuites tests="2" failures="1">');
  expect(report).toContain('<testcase classname="a.stack.json" name="ok"/>');
  expect(report).toContain('name="&lt;a&gt; &amp; &quot;b&quot;\ufffd"');
  expect(report).toContain("crm: allow crm.read");
});

test(
  "files beside the configuration, files that are named, and some cases of them",
  limit,
  async () => {
    const world = await openStackWorld();
    await world.test([get("first", {}, { effect: "allow" })]);
    writeFileSync(
      join(world.folder, "b.stack.yaml"),
      "cases:\n  - name: second\n    call: {server: crm, tool: get}\n    expect: {effect: allow}\n",
    );
    const count = async (...args: readonly string[]) =>
      (await world.run("--stack", "-c", world.config, ...args)).err;
    expect(await count()).toBe("2 passed, 0 failed");
    expect(await count("b.stack.yaml")).toBe("1 passed, 0 failed");
    expect(await count("-r", "^fir")).toBe("1 passed, 0 failed");
  },
);
