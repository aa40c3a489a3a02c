/**
 * Who may import whom. The table is the documentation of the layers: a folder may import itself, the
 * foundation, and what stands in its row; everything else is a stranger.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "oxc-parser";
import { describe, expect, test } from "vitest";

const source = fileURLToPath(new URL("../src", import.meta.url));

const foundation = ["contract", "errors", "config", "telemetry", "database"];

/** Longest prefix wins. `*` stands for every folder. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  contract: ["errors"],
  errors: [],
  config: ["contract", "errors"],
  telemetry: ["contract", "errors"],
  database: ["contract", "errors", "telemetry"],

  "mcp/wire": foundation,
  "mcp/catalog": [...foundation, "mcp/wire"],
  "mcp/upstream": [...foundation, "mcp/wire"],
  "mcp/downstream": [...foundation, "mcp/wire", "mcp/catalog", "gateway"],

  "policy/input": foundation,
  "policy/engine": foundation,
  "policy/approvals": foundation,
  "policy/combine": foundation,
  "policy/enforcement": foundation,
  "policy/usage": foundation,

  bundle: foundation,
  rego: foundation,
  decision: foundation,

  replay: [...foundation, "policy", "gateway"],

  gateway: [...foundation, "mcp/wire", "mcp/catalog", "mcp/upstream", "policy"],
  admin: [...foundation, "gateway"],
  cli: ["*"],
};

interface Edge {
  readonly from: string;
  readonly to: string;
}

function roomOf(file: string): string {
  const path = relative(source, file).replace(/\.ts$/, "").replaceAll("\\", "/");
  const rooms = Object.keys(mayImport).filter(
    (room) => path === room || path.startsWith(`${room}/`),
  );
  const longest = rooms.toSorted((a, b) => b.length - a.length)[0];
  if (longest === undefined) throw new Error(`src/${path}.ts is in no room of the table`);
  return longest;
}

function importsOf(file: string): readonly string[] {
  const { module } = parseSync(file, readFileSync(file, "utf8"));
  const statically = [
    ...module.staticImports.map((found) => found.moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ moduleRequest }) => (moduleRequest === null ? [] : [moduleRequest.value])),
    ),
  ];
  const text = readFileSync(file, "utf8");
  const lazily = module.dynamicImports.map(({ moduleRequest: { start, end } }) =>
    text.slice(start + 1, end - 1),
  );
  return [...statically, ...lazily].filter((specifier) => specifier.startsWith("."));
}

const files = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => join(source, path));

const edges: readonly Edge[] = files.flatMap((from) =>
  importsOf(from).map((specifier) => ({ from, to: join(dirname(from), specifier) })),
);

function isAllowed({ from, to }: Edge): boolean {
  const [importer, imported] = [roomOf(from), roomOf(to)];
  if (importer === imported) return true;
  const rooms = mayImport[importer] ?? [];
  return rooms.some((room) => room === "*" || imported === room || imported.startsWith(`${room}/`));
}

describe("the folders of src", () => {
  test("are read, with their imports", () => {
    expect(files.length).toBeGreaterThan(100);
    expect(edges.length).toBeGreaterThan(300);
  });

  test("import only what their row of the table names", () => {
    const strangers = edges
      .filter((edge) => !isAllowed(edge))
      .map(({ from, to }) => `${relative(source, from)} imports ${relative(source, to)}`);
    expect(strangers).toEqual([]);
  });

  test("import files by their full name with its suffix", () => {
    expect(edges.filter(({ to }) => !to.endsWith(".ts"))).toEqual([]);
  });

  test("would show a stage that imports another stage", () => {
    const stranger = {
      from: join(source, "bundle/open-bundle.ts"),
      to: join(source, "policy/combine.ts"),
    };
    expect(isAllowed(stranger)).toBe(false);
  });

  test("have no file over 300 lines", () => {
    const long = files.filter((file) => readFileSync(file, "utf8").split("\n").length > 301);
    expect(long.map((file) => relative(source, file))).toEqual([]);
  });
});
