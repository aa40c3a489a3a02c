/**
 * Whether a path of `decisions.masking.paths` can name anything in a record: a misspelt one would hide
 * nothing, and nobody would hear of it. Below arguments and results anything may stand, so a path that
 * has not named anything yet is fine.
 */

const pointerShape = /^(?:\/(?:[^~/]|~[01])+)+$/;
const example = "a path is written like /input/action/args/password, with * for any one name";
const maxShown = 120;

/**
 * Members by the path of their parent: those of the input document (`schema/input.schema.json`), and
 * those of an answer that masking may hide. What is below the others is not looked at.
 */
const members: Readonly<Record<string, readonly string[]>> = {
  "": listed("input result nd_builtin_cache"),
  "/input": listed(
    "version phase agent user action context environment usage approval layers denials result",
  ),
  "/input/agent": listed("id version scope owner_team model parent authenticated client"),
  "/input/user": listed("id groups data_classifications_authorized"),
  "/input/action": listed(
    `type direction server tool uri uri_template prompt message args input_responses task
     data_classes_referenced labels annotations definition_digest destination`,
  ),
  "/result": listed("reasons remediation metadata"),
};

/** What is wrong with it, with the path itself; `undefined` where it can name something. */
export function whyNoMaskPath(path: string): string | undefined {
  const shown = JSON.stringify(path.slice(0, maxShown));
  if (!pointerShape.test(path)) return `expected a JSON pointer, found ${shown}; ${example}`;
  const names = path.slice(1).split("/");
  let parents: readonly string[] = [""];
  for (const [depth, name] of names.entries()) {
    const known = parents.filter((parent) => members[parent] !== undefined);
    if (known.length < parents.length) return undefined;
    parents = known.flatMap((parent) => membersNamed(parent, name));
    if (parents.length > 0) continue;
    const where = depth === 0 ? "first" : `below ${known.join(" or ")}`;
    const expected = known.flatMap((parent) => members[parent] ?? []).join(", ");
    return `expected ${where} one of ${expected}, found ${JSON.stringify(name)} in ${shown}; ${example}`;
  }
  const isWhole = names.length === 1;
  return isWhole ? `expected something below ${path}, found ${shown}; ${example}` : undefined;
}

function membersNamed(parent: string, name: string): readonly string[] {
  const names = members[parent] ?? [];
  return names
    .filter((member) => name === "*" || name === member)
    .map((member) => `${parent}/${member}`);
}

function listed(names: string): readonly string[] {
  return names.split(/\s+/);
}
