import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mentionedUris, uriReplacement, urisIn } from "../../../src/mcp/catalog/result-uris.ts";
import { rewriteStrings } from "../../../src/mcp/wire/rewrite-strings.ts";

const crm = { id: "crm", resources: "prefix" } as const;

/** What a client gets in place of this result. */
function shown(value: unknown, server: Parameters<typeof uriReplacement>[1] = crm): unknown {
  const bytes = Buffer.from(JSON.stringify(value));
  const replace = uriReplacement(value, server);
  const changed = replace === undefined ? bytes : rewriteStrings(bytes, replace);
  return JSON.parse(changed?.toString() ?? "null");
}

const link = (uri: string) => ({ type: "resource_link", uri, name: uri });
const embedded = (uri: string) => ({ type: "resource", resource: { uri, text: uri } });
const text = { type: "text", text: "see x:1 or uri", uri2: "x:1" };

describe("URIs in what a server sends", () => {
  test.each([
    [
      "the result of resources/read",
      { contents: [{ uri: "x:1", text: "x:1" }, { uri: "x:2" }] },
      ["x:1", "x:2"],
    ],
    ["content of a tool", { content: [text, link("x:1"), embedded("x:2")] }, ["x:1", "x:2"]],
    [
      "messages of a prompt",
      {
        messages: [
          { role: "user", content: embedded("x:1") },
          { role: "user", content: text },
        ],
      },
      ["x:1"],
    ],
    [
      "a sampling request",
      { messages: [{ role: "user", content: [{ type: "tool_result", content: [link("x:1")] }] }] },
      ["x:1"],
    ],
    ["a user interface", { _meta: { ui: { resourceUri: "ui://1", csp: {} } } }, ["ui://1"]],
    [
      "a user interface in the older spelling",
      { _meta: { "ui/resourceUri": "ui://1" } },
      ["ui://1"],
    ],
    ["a resource that changed", { uri: "x:1" }, ["x:1"]],
    [
      "the result of a task",
      { taskId: "t", status: "completed", result: { content: [link("x:1")] } },
      ["x:1"],
    ],
    [
      "questions to the client",
      {
        resultType: "input_required",
        inputRequests: {
          "a/b": {
            method: "sampling/createMessage",
            params: { messages: [{ content: embedded("x:1") }] },
          },
        },
      },
      ["x:1"],
    ],
  ])("are found in %s, and renamed there and nowhere else", (_, value, uris) => {
    expect([...mentionedUris(value)]).toEqual(uris);
    const before = JSON.stringify(value);
    const places = urisIn(value);
    const after = shown(value);
    expect([...mentionedUris(after)]).toEqual(uris.map((uri) => `mcp-crm+${uri}`));
    expect(JSON.stringify(after).length - before.length).toBe("mcp-crm+".length * places.length);
  });

  test.each([
    [
      "free text and structured content",
      { content: [text], structuredContent: { uri: "x:1", content: [link("x:1")] } },
    ],
    [
      "what is no URI",
      {
        contents: [{ uri: 1 }, null, 7, { uri: "" }, { uri: "a\u0000b" }],
        content: "x",
        messages: {},
      },
    ],
  ])("are not seen in %s", (_, value) => {
    expect(urisIn(value)).toEqual([]);
    expect(uriReplacement(value, crm)).toBeUndefined();
  });

  test("stay as they are for a server without a prefix", () => {
    const value = { content: [link("x:1")] };
    expect(uriReplacement(value, { id: "a", resources: "original" })).toBeUndefined();
    expect(shown(value, { id: "a", resources: "original" })).toEqual(value);
  });

  test("stay links to the web where they are only links", () => {
    const web = "https://example.com/";
    const value = { content: [link(web), embedded(web)] };
    expect(shown(value)).toEqual({
      content: [link(web), { type: "resource", resource: { uri: `mcp-crm+${web}`, text: web } }],
    });
  });

  test("are renamed in both of two members with one name", () => {
    const bytes = Buffer.from('{"contents":[{"uri":"x:1","uri":"x:2"}]}');
    const replace = uriReplacement(JSON.parse(bytes.toString()), crm);
    const changed = replace && rewriteStrings(bytes, replace);
    expect(changed?.toString()).toBe('{"contents":[{"uri":"mcp-crm+x:1","uri":"mcp-crm+x:2"}]}');
  });

  test("are not taken for what another of two members with one name holds", () => {
    const text = '{"content":"x:0","content":[{"uri":"x:1"}]}';
    const replace = uriReplacement(JSON.parse(text), crm);
    const changed = replace && rewriteStrings(Buffer.from(text), replace);
    expect(changed?.toString()).toBe(text.replace("x:1", "mcp-crm+x:1"));
  });

  test("never make reading fail, whatever a server sends", () => {
    const keys = fc.constantFrom(
      "uri",
      "content",
      "contents",
      "messages",
      "resource",
      "result",
      "inputRequests",
      "params",
      "_meta",
      "ui",
      "resourceUri",
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        fc.constantFrom("x:1", "https://a", 1, null, true),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(keys, tie("value"), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(value, (sent) => {
        const before = urisIn(sent);
        const renamed = before.filter(
          ({ role, uri }) => role !== "link" || !uri.startsWith("https:"),
        );
        const after = JSON.stringify(shown(sent));
        expect(after.length - JSON.stringify(sent).length).toBe("mcp-crm+".length * renamed.length);
      }),
      { numRuns: 1000 },
    );
  });
});
