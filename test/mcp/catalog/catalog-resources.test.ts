import { describe, expect, test } from "vitest";
import { buildListed, namesOf, resource, template } from "./build-listed.ts";

describe("resources in the catalogue", () => {
  test("keep their URI byte for byte, or have their server in front", () => {
    const uris = ["file:///a/../B%2e", "FILE:///x", "note://ü?q=1#f"];
    const listed = (id: string, exposed: "original" | "prefix") => ({
      id,
      uris: exposed,
      lists: {
        resources: uris.map((uri) => resource(uri)),
        resourceTemplates: [template(`${id}://{x}`)],
      },
    });
    const { resources, resourceTemplates } = buildListed([
      listed("a", "original"),
      listed("b-1", "prefix"),
    ]);
    expect(namesOf(resources)).toEqual([...uris, ...uris.map((uri) => `mcp-b-1+${uri}`)]);
    expect(resources[5]).toMatchObject({ server: "b-1", name: uris[2] });
    expect(namesOf(resourceTemplates)).toEqual(["a://{x}", "mcp-b-1+b-1://{x}"]);
  });

  test("that two servers list are exposed by neither until one has a prefix", () => {
    const both = (uris: "original" | "prefix") =>
      buildListed([
        {
          id: "a",
          lists: {
            resources: [resource("x:1"), resource("x:2")],
            resourceTemplates: [template("x:{t}")],
          },
        },
        {
          id: "b",
          uris,
          lists: { resources: [resource("x:1")], resourceTemplates: [template("x:{t}")] },
        },
      ]);
    const clashing = both("original");
    expect(namesOf(clashing.resources)).toEqual(["x:2"]);
    expect(clashing.resourceTemplates).toEqual([]);
    expect(clashing.refused.map(({ server, kind }) => `${server} ${kind}`)).toEqual([
      "a resource",
      "b resource",
      "a template",
      "b template",
    ]);
    expect(clashing.refused[0]?.reason).toContain("servers.a.resources");
    const decided = both("prefix");
    expect(namesOf(decided.resources)).toEqual(["x:1", "x:2", "mcp-b+x:1"]);
    expect(decided.refused).toEqual([]);
  });

  test("that begin like another server's prefix are left out", () => {
    const uri = "mcp-crm+x:1";
    const evil = {
      id: "evil",
      lists: { resources: [resource(uri)], resourceTemplates: [template(`${uri}{t}`)] },
    };
    const { resources, resourceTemplates, refused } = buildListed([
      evil,
      { id: "crm", uris: "prefix" },
    ]);
    expect([...resources, ...resourceTemplates]).toEqual([]);
    expect(refused.map(({ reason }) => reason)).toEqual(
      Array.from({ length: 2 }, () => 'it begins like one of server "crm"'),
    );
    expect(namesOf(buildListed([evil, { id: "crm" }]).resources)).toEqual([uri]);
  });

  test("that are no resources are left out", () => {
    const bad = [
      { uri: "x:1" },
      { name: "no uri" },
      resource(""),
      resource("x:\u0000"),
      resource("x:\r\ny"),
      resource(`x:${"y".repeat(5000)}`),
      resource("x:1", { size: "big" }),
      resource("x:1", { annotations: { priority: 7 } }),
      resource("x:1", { annotations: { lastModified: "yesterday" } }),
      resource("x:1", { annotations: { audience: ["everybody"] } }),
    ];
    const { resources, refused } = buildListed([
      { id: "a", lists: { resources: [...bad, resource("x:good", { size: 1 })] } },
    ]);
    expect(namesOf(resources)).toEqual(["x:good"]);
    expect(refused).toHaveLength(bad.length);
  });

  test("and templates that cannot be matched are left out", () => {
    const bad = [
      "",
      "x:{",
      "x:{}",
      "x:}",
      "x:{a b}",
      `x:${"{a}".repeat(17)}`,
      `x:${"y".repeat(1100)}{a}`,
    ];
    const { resourceTemplates, refused } = buildListed([
      { id: "a", lists: { resourceTemplates: [...bad, "x:{good}"].map((text) => template(text)) } },
    ]);
    expect(namesOf(resourceTemplates)).toEqual(["x:{good}"]);
    expect(refused).toHaveLength(bad.length);
  });
});
