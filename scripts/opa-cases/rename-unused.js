/**
 * Gives the name `_` to what the build calls unused. The gateway compiles in OPA's strict mode, and
 * its evaluation cases are not written for it; what a case is about stays as it was.
 */

/** @typedef {{ message: string, file: string, row: number, col: number }} Place */

const unused = /^(?:unused argument (\w+)\.|assigned var (\w+) unused)/;

/**
 * The modules without the names that the problems tell of.
 *
 * @param {Readonly<Record<string, string>>} modules by path
 * @param {readonly Place[]} problems
 * @returns {Record<string, string> | undefined} undefined where a problem is of another kind
 */
export function renameUnused(modules, problems) {
  const changed = { ...modules };
  for (const { message, file, row, col } of problems) {
    const [, argument, variable] = unused.exec(message) ?? [];
    const name = argument ?? variable;
    const lines = changed[file]?.split("\n");
    const line = lines?.[row - 1];
    if (name === undefined || lines === undefined || line === undefined) return undefined;
    const rest = line.slice(col - 1).replace(new RegExp(`\\b${name}\\b`), "_");
    lines[row - 1] = `${line.slice(0, col - 1)}${rest}`;
    changed[file] = lines.join("\n");
  }
  return changed;
}
