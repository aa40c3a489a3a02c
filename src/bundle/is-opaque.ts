/**
 * Whether a compiled policy comes without what it was compiled from. `opa build` takes the rules of
 * the entrypoints out of the sources that it ships, so that sources without them count as none:
 * nobody could read there why a call was refused. It is a look at the text; that the text is what was
 * compiled is vouched for by whoever signed the bundle.
 */
import type { BundleEntrypoints } from "../contract/bundle.ts";

/** True where the sources do not define every entrypoint that is asked. */
export function isOpaque(
  { decision, classify, visibility }: BundleEntrypoints,
  sources: ReadonlyMap<string, string>,
): boolean {
  const defined = new Set([...sources.values()].flatMap(definedPaths));
  return [decision, classify, visibility].some(
    (path) => path !== undefined && !defined.has(path.replaceAll("/", ".")),
  );
}

/** The package, where it has a rule, and each rule in it. */
function definedPaths(source: string): readonly string[] {
  const text = source.replace(/#[^\n]*|"(?:\\.|[^"\\\n])*"|`[^`]*`/g, (found) =>
    found.startsWith("#") ? "" : '""',
  );
  const name = /^[ \t]*package[ \t]+([\w.]+)/m.exec(text)?.[1];
  const rules = name === undefined ? [] : outerNames(text);
  return rules.length === 0 ? [] : [`${name}`, ...rules.map((rule) => `${name}.${rule}`)];
}

const noRules = new Set(["package", "import", "else"]);

/** Names that begin a line outside of all brackets. */
function outerNames(text: string): readonly string[] {
  const names: string[] = [];
  let depth = 0;
  for (const line of text.split("\n")) {
    const name = /^[ \t]*(?:default[ \t]+)?([A-Za-z_]\w*)/.exec(line)?.[1];
    if (depth === 0 && name !== undefined && !noRules.has(name)) names.push(name);
    depth += (line.match(/[{[(]/g)?.length ?? 0) - (line.match(/[}\])]/g)?.length ?? 0);
  }
  return names;
}
