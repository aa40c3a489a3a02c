/**
 * OPA's own evaluation cases: finds them in the module cache, at the version that the toolchain
 * links, and reads them with every digit of their numbers.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { parse, parseDocument } from "yaml";
import { jsonTextOf } from "./yaml-json.js";

/**
 * @typedef {object} OpaCase
 * @property {string} note the case's name
 * @property {string} group the folder that it lies in
 * @property {string} query
 * @property {string[]} modules
 * @property {string} data JSON text
 * @property {string | undefined} input JSON text, or a Rego term
 * @property {boolean | undefined} wantDefined
 * @property {string | undefined} wantResult JSON text of a list of bindings
 * @property {string[]} names of the variables that the wanted result binds
 * @property {string | undefined} wantErrorCode
 * @property {boolean} wantError
 * @property {boolean} strictError whether the error is one of OPA's strict mode only
 * @property {boolean} sortBindings whether lists are compared without their order
 */

/** Rego allows a comma behind the last member, and the reader of inputs does not. */
const lastComma = /"(?:[^"\\]|\\.)*"|,(?=\s*[}\]])/g;
/** @param {string} found */
const keepText = (found) => (found === "," ? "" : found);
const module = "github.com/open-policy-agent/opa";

/**
 * Folder of OPA's module; fetched into the module cache where it is not there yet.
 *
 * @param {string} toolchain folder of the `go.mod` that says which version
 */
export function findOpaModule(toolchain) {
  const environment = { ...process.env, GOFLAGS: "-mod=readonly", GOWORK: "off" };
  /** @param {string[]} words */
  const go = (...words) =>
    execFileSync("go", words, { cwd: toolchain, env: environment, encoding: "utf8" });
  const { Dir } = JSON.parse(go("mod", "download", "-json", module));
  return String(Dir);
}

/**
 * Every case of Rego v1, sorted by file.
 *
 * @param {string} opa folder of OPA's module
 * @returns {OpaCase[]}
 */
export function readCases(opa) {
  const root = join(opa, "v1", "test", "cases", "testdata", "v1");
  const paths = readdirSync(root, { recursive: true, encoding: "utf8" });
  const files = paths.filter((path) => /\.ya?ml$/.test(path)).toSorted();
  return withOwnNotes(files.flatMap((path) => readFile(join(root, path))));
}

/**
 * Notes of the cases that OPA's own WebAssembly runner leaves out, with its reasons.
 *
 * @param {string} opa folder of OPA's module
 * @returns {Map<string, string>}
 */
export function readExceptions(opa) {
  const path = join(opa, "internal", "wasm", "sdk", "test", "e2e", "exceptions.yaml");
  /** @type {Record<string, string>} */
  const exceptions = parse(readFileSync(path, "utf8"));
  return new Map(Object.entries(exceptions));
}

/**
 * A few notes are those of several cases; the second then has ` (2)` behind it.
 *
 * @param {readonly OpaCase[]} cases
 */
function withOwnNotes(cases) {
  /** @type {Map<string, number>} */
  const seen = new Map();
  return cases.map((one) => {
    const count = (seen.get(one.note) ?? 0) + 1;
    seen.set(one.note, count);
    return count === 1 ? one : { ...one, note: `${one.note} (${count})` };
  });
}

/** @param {string} path */
function readFile(path) {
  const document = parseDocument(readFileSync(path, "utf8"), { intAsBigInt: false });
  const [fault] = document.errors;
  if (fault !== undefined) throw fault;
  const { cases } = document.toJS({ maxAliasCount: -1 });
  return cases.map((/** @type {Record<string, any>} */ one, /** @type {number} */ index) =>
    toCase(basename(dirname(path)), one, (member) => {
      const node = document.getIn(["cases", index, member], true);
      return node === undefined ? undefined : jsonTextOf(node, document);
    }),
  );
}

/**
 * @param {string} group
 * @param {Record<string, any>} plain
 * @param {(member: string) => string | undefined} exact a member as JSON text
 * @returns {OpaCase}
 */
function toCase(group, plain, exact) {
  /** @type {Record<string, unknown>[]} */
  const rows = plain["want_result"] ?? [];
  return {
    note: plain["note"],
    group,
    query: plain["query"],
    modules: plain["modules"] ?? [],
    data: exact("data") ?? "{}",
    input: plain["input_term"]?.replace(lastComma, keepText) ?? exact("input"),
    wantDefined: plain["want_defined"],
    wantResult: exact("want_result"),
    names: [...new Set(rows.flatMap(Object.keys))],
    wantErrorCode: plain["want_error_code"],
    wantError: plain["want_error"] !== undefined || plain["want_error_code"] !== undefined,
    strictError: plain["strict_error"] === true,
    sortBindings: plain["sort_bindings"] === true,
  };
}
