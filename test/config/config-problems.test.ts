import { describe, expect, test } from "vitest";
import { load, minimal, problemsOf, refusal, server } from "./support.ts";

const layer = { name: "identity", kind: "identity", policy: "oci-layout:dist:identity" };

function withServer(entry: object): object {
  return { ...minimal, servers: { crm: { ...server, ...entry } } };
}

describe("places and completeness", () => {
  test("an unknown key is refused with line, column and the key that was meant", () => {
    const text = `{\n  "agent": {"id": "a"}, "user": {"id": "u"},\n  "servers": {\n    "crm": {"command": "x", "polcy": "y"}\n  }\n}`;
    const error = refusal(() => load(text));
    expect(error.code).toBe("config_invalid");
    expect(error.message).toBe(
      `1 problem in the configuration\n${error.path}:4:29: unknown key "polcy" in servers.crm; did you mean "policy"?`,
    );
    expect(error.problems[0]).toMatchObject({ line: 4, column: 29, pointer: "/servers/crm/polcy" });
  });

  test("all problems are told at once and in file order", () => {
    const text = `{
      "profile": "strikt",
      "agent": { "id": 7 },
      "user": { "id": "u", "team": [] },
      "servers": { "CRM": { "command": "x" }, "web": { "url": "ftp://x" } },
      "layers": [{ "name": "web", "kind": "server", "policy": "ftp:x" }],
      "decisions": { "store": "sqlite:x", "durability": "async" },
    }`;
    const lines = refusal(() => load(text)).problems.map((problem) => problem.line);
    expect(lines).toEqual([2, 3, 4, 5, 5, 6, 6, 6, 7, 7]);
  });

  test("a missing key is reported at the object that lacks it", () => {
    const error = refusal(() => load(`{ "agent": {},\n "user": { "id": "u" }, "servers": {} }`));
    expect(error.problems).toHaveLength(1);
    expect(error.problems[0]).toMatchObject({
      line: 1,
      column: 12,
      message: 'missing key "id" in agent; expected a string',
    });
  });

  test("a misspelt required key is told once, not also as missing", () => {
    const { agent, ...rest } = minimal;
    expect(problemsOf({ agnet: agent, ...rest })).toEqual([
      'unknown key "agnet" at the top level; did you mean "agent"?',
    ]);
  });

  test("an unknown key that resembles none lists the known ones", () => {
    const user = { id: "u", zzzzzz: 1 };
    expect(problemsOf({ ...minimal, user })).toEqual([
      'unknown key "zzzzzz" in user; known keys: id, groups, data_classifications_authorized',
    ]);
  });

  test("pointers escape the characters that RFC 6901 reserves", () => {
    const tools = { "a/b~c": { label: [] } };
    const error = refusal(() => load(withServer({ tools })));
    expect(error.problems[0]?.pointer).toBe("/servers/crm/tools/a~1b~0c/label");
  });
});

describe("syntax", () => {
  test.each([
    ["{ agent: 1 }", "expected a value in JSON, found something else"],
    ['{ "agent" 1 }', "expected a colon after the key"],
    ['{ "agent": 1', "expected a closing }"],
    ['{ "agent": "x }', "expected the closing quote of this string"],
    ['{ "agent": "\\q" }', "expected a JSON escape after the backslash"],
    ['{ "agent": tru }', "expected a value in JSON, found something else"],
  ])("%s is refused with its reason", (text, reason) => {
    expect(problemsOf(text)[0]).toContain(reason);
  });

  test("a second block pasted below the first is recognised", () => {
    const error = refusal(() => load(`{}\n{ "mcpServers": {} }`));
    expect(error.problems[0]).toMatchObject({ line: 2, column: 1 });
    expect(error.problems[0]?.message).toContain("was a second block pasted?");
  });

  test("a duplicate key is refused and the line of the first one named", () => {
    const text = `{ "agent": {"id": "a"}, "user": {"id": "u"},\n"servers": {\n"crm": {"command": "x"},\n"crm": {"command": "y"} } }`;
    const error = refusal(() => load(text));
    expect(error.problems.map(({ line, column, message }) => [line, column, message])).toEqual([
      [4, 1, 'duplicate key "crm" in servers; it was first given in line 3'],
    ]);
  });

  test("of two equal keys the last one is checked further, at its own place", () => {
    const text = `{ "agent": {"id": "a"}, "user": {"id": "u"},\n"tenant": "x",\n"tenant": 5, "servers": {} }`;
    expect(refusal(() => load(text)).problems).toMatchObject([
      { line: 3, column: 1, pointer: "/tenant" },
      { line: 3, column: 11, message: "tenant: expected a string, found 5" },
    ]);
  });

  test("a key named __proto__ is refused", () => {
    const text = `{ "agent": {"id": "a"}, "user": {"id": "u"}, "servers": { "__proto__": {"command": "x"} } }`;
    expect(problemsOf(text)).toEqual(['expected another name than "__proto__"']);
  });

  test("nesting beyond 64 levels is refused without a stack overflow", () => {
    expect(problemsOf("[".repeat(500_000))).toEqual(["expected at most 64 levels of nesting"]);
  });
});

describe("wrong values", () => {
  test.each<[string, object, string]>([
    [
      "a number for a string",
      { command: 5 },
      "servers.crm.command: expected a string, found a number",
    ],
    ["an object for a list", { args: {} }, "servers.crm.args: expected a list, found an object"],
    ["null for an object", { tools: null }, "servers.crm.tools: expected an object, found null"],
    [
      "an empty command",
      { command: "" },
      "servers.crm.command: expected a string that is not empty, found an empty string",
    ],
    [
      "a word for a flag",
      { disabled: "no" },
      'servers.crm.disabled: expected true or false, found "no"',
    ],
    [
      "an unknown naming",
      { naming: "suffix" },
      'servers.crm.naming: expected one of "prefix", "bare", found "suffix"',
    ],
    [
      "a timeout of nothing",
      { call_timeout_ms: 0 },
      "servers.crm.call_timeout_ms: expected at least 1, found 0",
    ],
    [
      "a timeout of a day",
      { start_timeout_ms: 86_400_000 },
      "servers.crm.start_timeout_ms: expected at most 3600000, found 86400000",
    ],
    [
      "a fraction",
      { call_timeout_ms: 1.5 },
      "servers.crm.call_timeout_ms: expected a whole number, found 1.5",
    ],
    [
      "a list as a variable",
      { env: { A: [] } },
      "servers.crm.env.A: expected a string or a number or null, found a list",
    ],
    [
      "a number as policy",
      { policy: 5 },
      "servers.crm.policy: expected a string or an object, found a number",
    ],
    [
      "a policy object without bundle",
      { policy: {} },
      'missing key "bundle" in servers.crm.policy; expected a string',
    ],
  ])("%s is refused with what was expected and found", (_, entry, message) => {
    expect(problemsOf(withServer(entry))).toEqual([message]);
  });

  test("a server id outside the grammar is refused with one that would do", () => {
    const message = problemsOf({ ...minimal, servers: { "My CRM": server } })[0];
    expect(message).toContain('name "My CRM" in servers: expected lower-case letters');
    expect(message).toContain('"my-crm" would do');
  });

  test("a server id of 33 characters is refused and one of 32 accepted", () => {
    const id = "a".repeat(32);
    expect(load({ ...minimal, servers: { [id]: server } }).config.servers.has(id)).toBe(true);
    expect(problemsOf({ ...minimal, servers: { [`${id}a`]: server } })).toHaveLength(1);
  });

  test("a layer of kind server is refused", () => {
    expect(problemsOf({ ...minimal, layers: [{ ...layer, kind: "server" }] })[0]).toContain(
      'layers.0.kind: expected one of "identity", "workflow", "compliance", "overrides"',
    );
  });

  test("a layer without a policy is refused", () => {
    const { policy: _, ...rest } = layer;
    expect(problemsOf({ ...minimal, layers: [rest] })).toEqual([
      'missing key "policy" in layers.0; expected a string or an object',
    ]);
  });

  test("two layers of one name are refused", () => {
    expect(problemsOf({ ...minimal, layers: [layer, layer] })).toEqual([
      'layer name "identity" is already that of layers.0',
    ]);
  });

  test("a layer named like a server is refused", () => {
    expect(problemsOf({ ...minimal, servers: { identity: server }, layers: [layer] })).toEqual([
      'layer name "identity" is also that of a server; rename one of them',
    ]);
  });

  test("a layer name outside the grammar is refused", () => {
    expect(problemsOf({ ...minimal, layers: [{ ...layer, name: "Id Layer" }] })[0]).toContain(
      "layers.0.name: expected lower-case letters",
    );
  });

  test.each([
    ["crm:1", "expected oci://HOST"],
    ["oci://registry.example", "expected oci://HOST/REPOSITORY:TAG"],
    ["oci://u:p@registry.example/x", "credentials"],
    ["oci-layout:", "expected a path after oci-layout:"],
    ["oci-layout::tag", "expected a path after oci-layout:"],
    ["file:", "expected a path after file:"],
    ["https://u:p@x/bundle.tar.gz", "credentials"],
    ["git+https://u:p@x/y#z", "credentials"],
    ["https://[", "expected a URL"],
    ["git+ssh://x/y", "expected oci://HOST"],
  ])("the policy reference %s is refused", (policy, reason) => {
    const problems = problemsOf(withServer({ policy }));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(reason);
  });

  test.each(["sqlite:x", "postgres", "postgres:/x", "postgresql://[", "http://x"])(
    "the decision store %s is refused",
    (store) => {
      expect(problemsOf({ ...minimal, decisions: { store } })).toEqual([
        'decisions.store: expected "embedded" or a postgres:// URL, found another string',
      ]);
    },
  );

  test("a registry named with its scheme is refused", () => {
    const registries = { "https://r.example": { username: "u", password: "p" } };
    expect(problemsOf({ ...minimal, registries })).toEqual([
      "expected a registry's host and port in registries, without scheme and path",
    ]);
  });
});

describe("profile strict", () => {
  test.each([
    ["durability", "async", "sync"],
    ["on_failure", "continue", "fail_operation"],
  ])("decisions.%s: %s is refused with what to use", (key, value, instead) => {
    const message = `decisions.${key}: profile "strict" refuses "${value}"; use "${instead}", or profile "trial", which every record then shows`;
    expect(problemsOf({ ...minimal, decisions: { [key]: value } })).toEqual([message]);
    expect(problemsOf({ ...minimal, profile: "strict", decisions: { [key]: value } })).toEqual([
      message,
    ]);
  });
});
