/**
 * `@modelcontextprotocol/server-filesystem` through the gateway as directly. The folders that it may
 * touch are its client's roots: behind the gateway those of the configuration.
 */
import { join } from "node:path";
import { declares, pings, refusesArguments, refusesUnknown } from "./common-features.ts";
import type { Json, Outcome } from "./matrix-client.ts";
import { describeMatrix } from "./run-matrix.ts";
import { filesystem, work } from "./servers.ts";
import type { Feature, Site } from "./site.ts";
import { callTool, lists } from "./site.ts";

type Arguments = (path: (name: string) => string) => Json;

/** A row that calls a tool on paths of this site's folder. */
function onPaths(tool: string, ...all: readonly Arguments[]): Feature {
  return {
    name: `calls ${tool}`,
    covers: ["capability tools", `tool ${tool}`],
    run: async (site) => {
      const path = (name: string): string => join(work(site.folder), name);
      const outcomes: Outcome[] = [];
      for (const args of all) outcomes.push(await callTool(site, tool, args(path)));
      return outcomes;
    },
  };
}

function outside(site: Site): Promise<Outcome> {
  return callTool(site, "read_text_file", { path: "/etc/hostname" });
}

describeMatrix({
  server: filesystem,
  features: [
    // It declares that its list may change, and never changes it.
    declares("tools.listChanged"),
    pings,
    refusesUnknown,
    lists("tools", "tools"),
    onPaths("list_allowed_directories", () => ({})),
    onPaths("read_file", (path) => ({ path: path("hello.txt") })),
    onPaths(
      "read_text_file",
      (path) => ({ path: path("hello.txt"), head: 1 }),
      (path) => ({ path: path("hello.txt"), tail: 1 }),
      (path) => ({ path: path("missing.txt") }),
    ),
    onPaths("read_media_file", (path) => ({ path: path("pixel.png") })),
    onPaths("read_multiple_files", (path) => ({
      paths: [path("hello.txt"), path("sub/deep.txt"), path("missing.txt")],
    })),
    onPaths(
      "write_file",
      (path) => ({ path: path("written.txt"), content: "ünï\u2028✓\n" }),
      (path) => ({ path: path("written.txt"), content: "again\n" }),
    ),
    onPaths(
      "edit_file",
      (path) => ({
        path: path("written.txt"),
        edits: [{ oldText: "again", newText: "edited" }],
        dryRun: true,
      }),
      (path) => ({ path: path("written.txt"), edits: [{ oldText: "again", newText: "edited" }] }),
      (path) => ({ path: path("written.txt"), edits: [{ oldText: "absent", newText: "x" }] }),
    ),
    onPaths("create_directory", (path) => ({ path: path("made/deep") })),
    onPaths("list_directory", (path) => ({ path: path("") })),
    onPaths("list_directory_with_sizes", (path) => ({ path: path(""), sortBy: "size" })),
    onPaths("directory_tree", (path) => ({ path: path("") })),
    onPaths(
      "move_file",
      (path) => ({ source: path("written.txt"), destination: path("moved.txt") }),
      (path) => ({ source: path("moved.txt"), destination: path("written.txt") }),
    ),
    onPaths("search_files", (path) => ({ path: path(""), pattern: "**/*.txt" })),
    onPaths("get_file_info", (path) => ({ path: path("hello.txt") })),
    { name: "stays in its folders", covers: [], run: outside },
    refusesArguments("read_text_file", { path: 7 }),
  ],
});
