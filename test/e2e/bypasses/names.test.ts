/**
 * B21, B22: names that look like others, and names of what is hidden.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { attackStdio, callText } from "./attack-stdio.ts";
import { buildHostileLayout, writeHostileConfig } from "./hostile-setting.ts";

let layout = "";

beforeAll(async () => {
  layout = await buildHostileLayout(["h", "h-x"]);
});

const setting = (servers: Parameters<typeof writeHostileConfig>[1] = { h: {} }) =>
  writeHostileConfig(layout, servers);

function codesOf(answers: readonly Record<string, unknown>[]): readonly unknown[] {
  return answers.map(({ error }) => Object(error).code);
}

describe("names", () => {
  const lists = {
    tools: ["echo", "script", "a__b", "x__echo", "hidden_tool"].map((name) => ({
      name,
      inputSchema: { type: "object" },
    })),
  };

  test("B21 a name is found whole or not at all: no separator, prefix, space, case or lookalike leads elsewhere", async () => {
    const servers = { h: { lists }, "h-x": { lists } };
    const names = [
      "h__a__b__c",
      "h__h__echo",
      "h_echo",
      "h__",
      "__echo",
      "",
      " h__echo",
      "h__echo ",
      "h__echo\u0000",
      "H__echo",
      "h__Echo",
      "h__\uff45cho",
      "h__ec\u200bho",
      "\u202eh__echo",
      "h/echo",
      `h__${"e".repeat(300)}`,
      "h-x__",
    ];
    const { answers, reached, decisions } = await attackStdio(
      setting(servers),
      names.map((name, at) => callText(200 + at, JSON.stringify({ name, arguments: {} }))),
    );
    expect(reached).toEqual([]);
    expect(codesOf(answers)).toEqual(names.map(() => -32_602));
    expect(decisions.map(({ reasons }) => reasons)).toEqual(names.map(() => ["unknown_tool"]));
  });

  test("B21 a tool whose own name has the separator is that tool of that server, and no other's", async () => {
    const at = setting({ h: { lists }, "h-x": { lists } });
    const { reached } = await attackStdio(at, [
      callText(201, '{"name":"h__a__b","arguments":{}}'),
      callText(202, '{"name":"h-x__x__echo","arguments":{}}'),
    ]);
    expect(reached.map(({ params }) => Object(params).name)).toEqual(["a__b"]);
    const other = at.received("h-x").filter((line) => line.includes('"tools/call"'));
    expect(other.map((line) => Object(JSON.parse(line)).params.name)).toEqual(["x__echo"]);
  });

  test("B22 a tool that is hidden answers to the byte like one that does not exist, and is not called", async () => {
    const { answers, reached, decisions } = await attackStdio(setting(), [
      callText(201, '{"name":"h__hidden_tool","arguments":{}}'),
      callText(202, '{"name":"h__hidden_toil","arguments":{}}'),
      callText(203, '{"name":"h__hidden_tool","arguments":{"x":"FORBIDDEN"},"task":{"ttl":1}}'),
    ]);
    expect(reached).toEqual([]);
    const shapes = answers.map((answer) =>
      JSON.stringify({ ...answer, id: 0 }).replace("hidden_toil", "hidden_tool"),
    );
    expect(new Set(shapes).size).toBe(1);
    // The three are judged side by side, and any may be the first.
    const recorded = decisions.map(({ exposed_name: name, reasons }) => [name, ...reasons].join());
    expect(recorded.toSorted()).toEqual([
      "h__hidden_toil,unknown_tool",
      "h__hidden_tool,outside_capabilities",
      "h__hidden_tool,outside_capabilities",
    ]);
  });
});
