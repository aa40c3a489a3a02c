/**
 * `@modelcontextprotocol/server-memory` through the gateway as directly.
 */
import {
  declares,
  pings,
  refusesArguments,
  refusesUnknown,
  tellsOfUpdates,
} from "./common-features.ts";
import { describeMatrix } from "./run-matrix.ts";
import { memory } from "./servers.ts";
import { callTool, calls, lists } from "./site.ts";

const graph = "memory://knowledge-graph";
const ada = { name: "Ada", entityType: "person", observations: ["writes programs"] };
const engine = { name: "Engine", entityType: "machine", observations: [] };
const relation = { from: "Ada", to: "Engine", relationType: "programs" };
const passing = { entities: [{ name: "Passing", entityType: "thing", observations: [] }] };

describeMatrix({
  server: memory,
  features: [
    // It declares that its lists may change, and never changes them.
    declares("tools.listChanged", "resources.listChanged"),
    pings,
    refusesUnknown,
    lists("tools", "tools"),
    lists("resources", "resources"),
    calls("create_entities", { entities: [ada, engine] }, { entities: [ada] }),
    calls("create_relations", { relations: [relation] }),
    calls(
      "add_observations",
      { observations: [{ entityName: "Ada", contents: ["reads Babbage", "ünïcödé ✓"] }] },
      { observations: [{ entityName: "Nobody", contents: ["x"] }] },
    ),
    calls("read_graph", {}),
    calls("search_nodes", { query: "babbage" }, { query: "nothing like it" }),
    calls("open_nodes", { names: ["Engine"] }),
    {
      name: "reads the graph as a resource",
      covers: ["resource knowledge-graph"],
      run: ({ client }) => client.request("resources/read", { uri: graph }),
    },
    tellsOfUpdates(
      graph,
      (site) => callTool(site, "create_entities", passing),
      (site) => callTool(site, "delete_entities", { entityNames: ["Passing"] }),
    ),
    calls("delete_observations", {
      deletions: [{ entityName: "Ada", observations: ["reads Babbage"] }],
    }),
    calls("delete_relations", { relations: [relation] }),
    calls("delete_entities", { entityNames: ["Ada", "Engine"] }),
    refusesArguments("open_nodes", { names: 7 }),
  ],
});
