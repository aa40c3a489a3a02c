/**
 * B1 to B8, B16, B17, B25, B26, B30: messages that two readers may read differently, and members
 * that nobody judged. Whatever of them is refused has not reached a server, and is on record.
 */
import { beforeAll, describe, expect, test } from "vitest";
import type { AttackReport } from "./attack-stdio.ts";
import { attackStdio, callText } from "./attack-stdio.ts";
import { buildHostileLayout, writeHostileConfig } from "./hostile-setting.ts";

let layout = "";

beforeAll(async () => {
  layout = await buildHostileLayout(["h"]);
});

const setting = (servers: Parameters<typeof writeHostileConfig>[1] = { h: {} }) =>
  writeHostileConfig(layout, servers);

function codesOf(answers: readonly Record<string, unknown>[]): readonly unknown[] {
  return answers.map(({ error }) => Object(error).code);
}

/** What each record says was dropped; one command after the other, since they share a database. */
async function droppedIn({ decisions, setting: at }: AttackReport): Promise<readonly unknown[]> {
  const dropped: unknown[] = [];
  for (const { decision_id: id } of decisions) dropped.push((await at.admission(id))["dropped"]);
  return dropped;
}

/** What reached the server, and for each line its error and its record. */
async function fateOf(lines: readonly (string | object | Buffer)[]) {
  const { answers, reached, decisions } = await attackStdio(setting(), lines);
  const recorded = decisions.map(({ effect, reasons }) => [effect, ...reasons].join(" "));
  return { reached, codes: codesOf(answers), recorded };
}

/** Nothing reaches the server, each is answered, each is on record. */
function refused(lines: readonly unknown[]) {
  return {
    reached: [],
    codes: lines.map(() => -32_600),
    recorded: lines.map(() => "deny malformed_request"),
  };
}

describe("a message that two readers read differently", () => {
  test("B1 a duplicate name, method, arguments or nested key is refused, and reaches no server", async () => {
    const lines = [
      callText(101, '{"name":"h__echo","name":"h__hidden_tool","arguments":{}}'),
      callText(102, '{"name":"h__echo","arguments":{},"arguments":{"x":"FORBIDDEN"}}'),
      callText(103, '{"name":"h__echo","arguments":{"a":{"b":1,"b":2}}}'),
      callText(104, '{"name":"h__echo","arguments":{"a":1,"\\u0061":"FORBIDDEN"}}'),
      callText(105, '{"name":"h__echo","arguments":{}}', ',"method":"ping"'),
      callText(106, '{"name":"h__echo","arguments":{}}', ',"params":{}'),
    ];
    expect(await fateOf(lines)).toEqual(refused(lines));
  });

  test("B2 a member spelt in other case or other letters beside the real one is refused or never passed on", async () => {
    const kelvin = "tas\u212a";
    const {
      answers,
      reached,
      decisions,
      setting: at,
    } = await attackStdio(setting(), [
      callText(101, '{"name":"h__echo"}', ',"Params":{"name":"h__script"}'),
      callText(102, '{"name":"h__echo"}', ',"param\u017f":{"name":"h__script"}'),
      callText(103, '{"name":"h__echo"}', ',"METHOD":"tools/list"'),
      callText(
        104,
        `{"name":"h__echo","Name":"h__script","ARGUMENTS":{"x":"FORBIDDEN"},"${kelvin}":{"ttl":1}}`,
      ),
    ]);
    const refused = answers.filter(({ id }) => id !== 104);
    expect(codesOf(refused)).toEqual([-32_600, -32_600, -32_600]);
    expect(reached).toEqual([expect.objectContaining({ params: { name: "echo", arguments: {} } })]);
    const allowed = decisions.find(({ effect }) => effect === "allow");
    const { dropped } = await at.admission(allowed?.decision_id ?? "");
    expect(dropped).toEqual(["/Name", "/ARGUMENTS", `/${kelvin}`]);
  });

  test("B3 a message with both result and method is refused", async () => {
    const lines = [
      callText(101, '{"name":"h__echo","arguments":{}}', ',"result":{}'),
      callText(102, '{"name":"h__echo","arguments":{}}', ',"error":{"code":1,"message":"x"}'),
    ];
    expect(await fateOf(lines)).toEqual(refused(lines));
  });

  test("B4 a batch is refused, of one, nested, or with a notification in front", async () => {
    const call = callText(101, '{"name":"h__echo","arguments":{}}');
    const note = '{"jsonrpc":"2.0","method":"notifications/initialized"}';
    const lines = [`[${call}]`, `[[${call}]]`, `[${note},${call}]`, "[]"];
    expect(await fateOf(lines)).toEqual(refused(lines));
  });

  test("B5 a call that is a notification is not made and not answered, and is on record", async () => {
    const params = { name: "h__echo", arguments: {} };
    const notices = [
      { jsonrpc: "2.0", method: "tools/call", params },
      { jsonrpc: "2.0", method: "resources/read", params: { uri: "memo://open" } },
    ];
    const { answers, reached, decisions } = await attackStdio(setting(), notices, 0);
    expect(reached).toEqual([]);
    expect(answers).toEqual([]);
    expect(decisions.map(({ reasons }) => reasons)).toEqual([
      ["malformed_request"],
      ["malformed_request"],
    ]);
  });

  test('B6 an id that is null, a fraction, too large, an object or missing its type is refused; 1 and "1" are two', async () => {
    const params = '"method":"tools/call","params":{"name":"h__echo","arguments":{}}';
    const odd = ["null", "1.5", "9007199254740993", "{}", "[1]", "true"];
    const lines = odd.map((id) => `{"jsonrpc":"2.0","id":${id},${params}}`);
    expect(await fateOf(lines)).toEqual(refused(lines));
    const { answers, reached } = await attackStdio(setting(), [
      callText(101, '{"name":"h__echo","arguments":{"who":"number"}}'),
      callText("101", '{"name":"h__echo","arguments":{"who":"text"}}'),
    ]);
    expect(reached).toHaveLength(2);
    const said = new Map(answers.map(({ id, result }) => [id, JSON.stringify(result)]));
    expect(said.get(101)).toContain("number");
    expect(said.get("101")).toContain("text");
  });

  test("B6 an id that is in flight is refused, and the first call keeps its answer", async () => {
    const lines = [
      callText(101, '{"name":"h__slow","arguments":{"n":1,"afterMs":2000}}'),
      callText(101, '{"name":"h__echo","arguments":{"n":2}}'),
    ];
    const { answers, reached } = await attackStdio(setting(), lines);
    expect(reached.map(({ params }) => Object(params).name)).toEqual(["slow"]);
    expect(answers.map(({ error }) => Object(error).code)).toEqual([-32_600, undefined]);
  });

  test("B7 a method in another spelling is no method, unless JSON itself says that it is the same", async () => {
    const { answers, reached } = await attackStdio(setting(), [
      ...["tools/Call", "tools/call ", "tools/call\\u0000", "tools\u2215call", "TOOLS/CALL"].map(
        (method, at) =>
          `{"jsonrpc":"2.0","id":${200 + at},"method":"${method}","params":{"name":"h__echo"}}`,
      ),
      '{"jsonrpc":"2.0","id":300,"method":"tools\\/call","params":{"name":"h__echo","arguments":{"a":"FORBIDDEN"}}}',
    ]);
    expect(reached).toEqual([]);
    const refused = answers.filter(({ id }) => id !== 300);
    expect(codesOf(refused)).toEqual([-32_601, -32_601, -32_601, -32_601, -32_601]);
    expect(JSON.stringify(answers.find(({ id }) => id === 300))).toContain("forbidden");
  });

  test("B8 an unknown or experimental method is refused and never forwarded", async () => {
    const methods = [
      "tools/execute",
      "x/vendor",
      "tasks/update",
      "sampling/createMessage",
      "rpc.discover",
      "",
    ];
    const { answers, setting: at } = await attackStdio(
      setting(),
      methods.map((method, index) => ({ jsonrpc: "2.0", id: 200 + index, method, params: {} })),
    );
    expect(codesOf(answers)).toEqual(methods.map(() => -32_601));
    const heard = at.received("h").map((line) => Object(JSON.parse(line)).method);
    for (const method of methods) expect(heard).not.toContain(method);
  });
});

describe("members that policy did not judge", () => {
  test("B16 of _meta nothing but a well-formed traceparent and our own progress token goes on", async () => {
    const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const meta = {
      progressToken: "mine",
      traceparent: good,
      tracestate: "x=1",
      baggage: "user=admin",
      "vendor/impersonate": "admin",
      "io.modelcontextprotocol/related-task": { taskId: "t-1" },
      "io.mcp-gateway/decision": { allow: true },
    };
    const asked = { name: "h__echo", arguments: {}, _meta: meta };
    const report = await attackStdio(setting(), [
      { jsonrpc: "2.0", id: 101, method: "tools/call", params: asked },
      {
        jsonrpc: "2.0",
        id: 102,
        method: "tools/call",
        params: { ...asked, _meta: { traceparent: `${good}\r\nX-Admin: 1` } },
      },
    ]);
    // The two are judged side by side, and either may be the first.
    const _meta = { traceparent: good, progressToken: expect.any(Number) };
    const plain = { name: "echo", arguments: {} };
    const params = report.reached.map((message) => message["params"]);
    expect(params).toHaveLength(2);
    expect(params).toEqual(expect.arrayContaining([{ ...plain, _meta }, plain]));
    const dropped = await droppedIn(report);
    expect(dropped).toContainEqual(
      ["tracestate", "baggage", "vendor/impersonate", "io.mcp-gateway/decision"].map(
        (key) => `/_meta/${key}`,
      ),
    );
  });

  test("B17 unknown members of params go nowhere and are named in the record", async () => {
    const report = await attackStdio(setting(), [
      {
        jsonrpc: "2.0",
        id: 101,
        method: "tools/call",
        params: { name: "h__echo", arguments: {}, server: "other", url: "http://127.0.0.1/" },
      },
      {
        jsonrpc: "2.0",
        id: 102,
        method: "resources/read",
        params: { uri: "memo://open", arguments: { as: "root" } },
      },
    ]);
    // The two are judged side by side, and either may be the first.
    const params = report.reached.map((message) => JSON.stringify(message["params"]));
    expect(params.toSorted()).toEqual(['{"name":"echo","arguments":{}}', '{"uri":"memo://open"}']);
    const dropped = await droppedIn(report);
    expect(dropped.map(String).toSorted()).toEqual(["/arguments", "/server,/url"]);
  });

  test("B25 argument keys that objects have by nature are judged and passed as what they are, __proto__ is refused", async () => {
    const args =
      '{"constructor":{"prototype":{"x":1}},"toString":"a","hasOwnProperty":"b","then":"c","toJSON":"d"}';
    const { reached, answers, decisions } = await attackStdio(setting(), [
      callText(101, `{"name":"h__echo","arguments":${args}}`),
      callText(102, '{"name":"h__echo","arguments":{"then":"FORBIDDEN"}}'),
      callText(103, '{"name":"h__echo","arguments":{"__proto__":{"x":"FORBIDDEN"}}}'),
      callText(104, '{"name":"h__echo","arguments":{"a":[{"\\u005f_proto__":1}]}}'),
    ]);
    expect(reached.map(({ params }) => JSON.stringify(Object(params).arguments))).toEqual([args]);
    expect(codesOf(answers.filter(({ id }) => Number(id) > 102))).toEqual([-32_600, -32_600]);
    // What is refused on the wire is on record while the calls before it wait for policies.
    const effects = decisions.map(({ effect }) => effect).toSorted();
    expect(effects).toEqual(["allow", "deny", "deny", "deny"]);
  });

  test("B26 strings and shapes that make a policy engine stumble are refused or denied, never let through", async () => {
    const deep = `${"[".repeat(10_000)}${"]".repeat(10_000)}`;
    const { reached, answers } = await attackStdio(setting(), [
      callText(101, '{"name":"h__echo","arguments":{"x":"\\ud800"}}'),
      callText(102, `{"name":"h__echo","arguments":{"x":${deep}}}`),
      callText(103, `{"name":"h__echo","arguments":{"x":"${"y".repeat(3 << 20)}"}}`),
      callText(104, '{"name":"h__echo","arguments":{"x":12345678901234567890}}'),
      callText(105, '{"name":"h__echo","arguments":{"x":1E400}}'),
      Buffer.concat([
        Buffer.from(
          '{"jsonrpc":"2.0","id":106,"method":"tools/call","params":{"name":"h__echo","arguments":{"x":"',
        ),
        Buffer.from([0xc0, 0xaf]),
        Buffer.from('"}}}'),
      ]),
      callText(107, `{"name":"h__echo","arguments":{"x":"\\udb40\\udc41"}}`),
    ]);
    // A tag character is a letter like others, and arrives as the one that was judged.
    expect(reached.map(({ params }) => Object(params).arguments)).toEqual([{ x: "\u{e0041}" }]);
    const said = new Map(answers.map((answer) => [answer["id"], answer]));
    for (const id of [101, 104, 105]) expect(said.get(id)).toHaveProperty("error.code", -32_600);
    // Neither what is no text nor what nests without end has an id to be answered by.
    expect(codesOf(answers.filter(({ id }) => id === null))).toEqual([-32_600, -32_700]);
    expect(JSON.stringify(said.get(103))).toMatch(/"reasons":\["[a-z_]+"\]/);
  });
});

test("B30 arguments that mean something to a shell arrive as they are, and as nothing else", async () => {
  const args = {
    path: "$(touch /tmp/x) `id` ; rm -rf ~ | sh && x > y",
    flag: "--upload-pack=sh",
    variables: "$HOME %PATH% ${env:HOME} ${file:/etc/passwd}",
    lines: "a\nb\r\nc\u0000d",
  };
  const { reached } = await attackStdio(setting(), [
    { jsonrpc: "2.0", id: 101, method: "tools/call", params: { name: "h__echo", arguments: args } },
  ]);
  expect(reached.map(({ params }) => Object(params).arguments)).toEqual([args]);
});
