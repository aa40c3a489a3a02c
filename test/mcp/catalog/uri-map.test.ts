import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { routeUri } from "../../../src/mcp/catalog/uri-map.ts";
import { UriMemory } from "../../../src/mcp/catalog/uri-memory.ts";
import { buildListed, resource, template, tool } from "./build-listed.ts";
import type { Listed } from "./build-listed.ts";

const alice = "alice";
const bob = "bob";

function router(listed: readonly Listed[], memory = new UriMemory()) {
  const { uris } = buildListed(listed);
  return (uri: string, principalKey = alice) => {
    const route = routeUri(uris, memory, uri, principalKey);
    return route && `${route.server} ${route.uri}`;
  };
}

const lists = (id: string, uris: readonly string[], more: Partial<Listed> = {}): Listed => ({
  id,
  lists: {
    resources: uris.filter((uri) => !uri.includes("{")).map((uri) => resource(uri)),
    resourceTemplates: uris.filter((uri) => uri.includes("{")).map((uri) => template(uri)),
  },
  ...more,
});

describe("routing a URI", () => {
  test("finds the server that listed it, and its definition's digest", () => {
    const { uris, resources } = buildListed([lists("a", ["x:1"]), lists("b", ["x:2"])]);
    expect(routeUri(uris, new UriMemory(), "x:2", alice)).toEqual({
      server: "b",
      uri: "x:2",
      digest: resources[1]?.digest,
    });
  });

  test("finds the server whose template matches", () => {
    const route = router([lists("a", ["a://{id}"]), lists("b", ["b://{id}", "b://x/{id}"])]);
    expect(route("b://x")).toBe("b b://x");
    expect(route("b://x/1")).toBe("b b://x/1");
    expect(route("c://x")).toBeUndefined();
  });

  test("compares URIs byte for byte", () => {
    const route = router([lists("a", ["file:///a/b", "file:///t/{x}"]), { id: "b" }]);
    for (const other of [
      "file:///a/./b",
      "file:///a/%62",
      "FILE:///a/b",
      "file:///a/b/",
      "file:////a/b",
      " file:///a/b",
    ]) {
      expect(route(other), other).toBeUndefined();
    }
    expect(route("file:///t/%2e%2e")).toBe("a file:///t/%2e%2e");
  });

  test("takes what is listed before what a template matches, and both before what was mentioned", () => {
    const memory = new UriMemory();
    const servers = [lists("a", ["x:1"]), lists("b", ["x:{n}"]), { id: "c" }];
    for (const uri of ["x:1", "x:2", "y:3"]) memory.remember("c", uri, alice);
    const route = router(servers, memory);
    expect(route("x:1")).toBe("a x:1");
    expect(route("x:2")).toBe("b x:2");
    expect(route("y:3")).toBe("c y:3");
  });

  test("finds what a result mentioned for the principal who got that result, and nobody else", () => {
    const memory = new UriMemory();
    memory.remember("a", "x:1", alice);
    const route = router([{ id: "a" }, { id: "b" }], memory);
    expect(route("x:1", alice)).toBe("a x:1");
    expect(route("x:1", bob)).toBeUndefined();
  });

  test("finds nobody where two servers claim a URI in the same way", () => {
    const memory = new UriMemory();
    for (const server of ["a", "b"]) memory.remember(server, "y:1", alice);
    memory.remember("c", "x:1", alice);
    const route = router(
      [lists("a", ["x:1", "t:{n}"]), lists("b", ["x:1", "t:{+n}"]), { id: "c" }],
      memory,
    );
    expect(route("x:1")).toBeUndefined();
    expect(route("t:1")).toBeUndefined();
    expect(route("t:/1")).toBe("b t:/1");
    expect(route("y:1")).toBeUndefined();
  });

  test("keeps no route to a URI that two servers listed", () => {
    const { uris } = buildListed([lists("a", ["x:1", "x:2"]), lists("b", ["x:1"])]);
    expect([...uris.routes.keys()]).toEqual(["x:2"]);
  });

  test("gives every URI to the only server that is configured, as if the gateway were not there", () => {
    expect(router([{ id: "a" }, { id: "off", disabled: true }])("any:thing")).toBe("a any:thing");
    expect(router([{ id: "a" }, { id: "b" }])("any:thing")).toBeUndefined();
    expect(router([{ id: "a", uris: "prefix" }])("any:thing")).toBeUndefined();
  });

  test("takes a prefix off where it is exactly that of a server that has one", () => {
    const route = router([
      lists("crm", ["x:1", "t:{n}"], { uris: "prefix" }),
      lists("crm-2", ["x:1"], { uris: "prefix" }),
      lists("fs", ["x:1"]),
    ]);
    expect(route("mcp-crm+x:1")).toBe("crm x:1");
    expect(route("mcp-crm-2+x:1")).toBe("crm-2 x:1");
    expect(route("mcp-crm+not:listed")).toBe("crm not:listed");
    expect(route("mcp-crm+mcp-fs+x:1")).toBe("crm mcp-fs+x:1");
    expect(route("mcp-crm+t:1")).toBe("crm t:1");
    expect(route("t:1")).toBeUndefined();
    expect(route("x:1")).toBe("fs x:1");
    for (const other of [
      "mcp-fs+x:1",
      "mcp-cr+x:1",
      "MCP-crm+x:1",
      "mcp-crm:x:1",
      "mcp-crm",
      "mcp-+x:1",
      "mcp-none+x:1",
    ]) {
      expect(route(other), other).toBeUndefined();
    }
  });

  test("does not take a mention by a server with a prefix without it, but for links to the web", () => {
    const memory = new UriMemory();
    memory.remember("crm", "x:1", alice);
    memory.remember("crm", "https://example.com/", alice);
    const route = router([{ id: "crm", uris: "prefix" }, { id: "b" }], memory);
    expect(route("x:1")).toBeUndefined();
    expect(route("https://example.com/")).toBe("crm https://example.com/");
  });

  test("finds the user interface that a tool names, listed or not", () => {
    const app = (uri: string) => tool("show", { _meta: { ui: { resourceUri: uri } } });
    const flat = tool("old", { _meta: { "ui/resourceUri": "ui://flat" } });
    const route = router([
      { id: "a", lists: { tools: [app("ui://a/app"), flat] } },
      { id: "b", uris: "prefix", lists: { tools: [app("ui://a/app")] } },
      { id: "c", lists: { tools: [app("mcp-b+ui://steal")] } },
    ]);
    expect(route("ui://a/app")).toBe("a ui://a/app");
    expect(route("ui://flat")).toBe("a ui://flat");
    expect(route("mcp-b+ui://a/app")).toBe("b ui://a/app");
    expect(route("mcp-b+ui://steal")).toBe("b ui://steal");
  });

  test("gives nobody the user interface that two servers name, or that a changed tool names", () => {
    const app = tool("show", { _meta: { ui: { resourceUri: "ui://app" } } });
    expect(
      router([
        { id: "a", lists: { tools: [app] } },
        { id: "b", lists: { tools: [app] } },
      ])("ui://app"),
    ).toBeUndefined();
    const pins = { ok: true, pins: new Map() } as const;
    expect(
      router([{ id: "a", lists: { tools: [app], pins } }, { id: "b" }])("ui://app"),
    ).toBeUndefined();
  });

  test("is found again from what is exposed, for any servers and URIs", () => {
    const ids = fc.uniqueArray(fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,6}$/), {
      minLength: 2,
      maxLength: 4,
    });
    const uris = fc.array(
      fc.oneof(
        fc.constantFrom("x:1", "x:2", "mcp-a+x:1", "mcp-b+x:1", "mcp-+x", "mcp-a"),
        fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }),
      ),
      { maxLength: 6 },
    );
    const servers = ids.chain((all) =>
      fc.tuple(
        ...all.map((id) =>
          fc.record({
            id: fc.constant(id),
            uris: fc.constantFrom("original", "prefix"),
            listed: uris,
          }),
        ),
      ),
    );
    fc.assert(
      fc.property(servers, (all) => {
        const catalog = buildListed(
          all.map(({ id, uris: exposed, listed }) => lists(id, listed, { uris: exposed })),
        );
        for (const { exposedName, server, name } of catalog.resources) {
          expect(routeUri(catalog.uris, new UriMemory(), exposedName, alice)).toMatchObject({
            server,
            uri: name,
          });
        }
        const owners = new Map(catalog.resources.map((item) => [item.exposedName, item.server]));
        expect(
          catalog.resources.every((item) => owners.get(item.exposedName) === item.server),
        ).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe("the memory of mentioned URIs", () => {
  test("keeps as many of a server as it may, the least recently used go, and no other server's", () => {
    const memory = new UriMemory(2);
    memory.remember("b", "x:0", alice);
    for (const uri of ["x:1", "x:2"]) memory.remember("a", uri, alice);
    expect(memory.serversOf("x:1", alice)).toEqual(["a"]);
    memory.remember("a", "x:3", bob);
    expect(memory.serversOf("x:2", alice)).toEqual([]);
    expect(memory.serversOf("x:1", alice)).toEqual(["a"]);
    expect(memory.serversOf("x:3", bob)).toEqual(["a"]);
    expect(memory.serversOf("x:0", alice)).toEqual(["b"]);
  });

  test("keeps no URI that the gateway would not expose", () => {
    const memory = new UriMemory();
    for (const uri of ["", "x:\n", `x:${"y".repeat(5000)}`]) {
      memory.remember("a", uri, alice);
      expect(memory.serversOf(uri, alice)).toEqual([]);
    }
  });
});
