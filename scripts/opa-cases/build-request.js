/**
 * A case as a policy of the gateway. What the case asks becomes the policy's own decision: the set
 * of the query's bindings, and beside each the paths at which it holds sets, which JSON does not
 * tell from lists and which have no order. A case's input is its own, so no input schema is given.
 */
import { hostBuiltins } from "../../dist/contract/host-builtins.js";

/** @typedef {import("./case-files.js").OpaCase} OpaCase */

const policyPackage = "opa_case";

export const entrypoint = `${policyPackage}/decision`;

/**
 * The case's modules by path, and one that asks its query.
 *
 * @param {OpaCase} opaCase
 * @returns {Record<string, string>}
 */
export function modulesOf({ query, names, modules }) {
  const asked = names.length > 0 ? names : namesIn(query);
  const row = `{${asked.map((name) => `"${name}": ${name}`).join(", ")}}`;
  const sets = `[path | walk(${row}, [path, value]); is_set(value)]`;
  const question = `decision := {{"row": ${row}, "sets": ${sets}} | ${query}}`;
  return {
    ...Object.fromEntries(modules.map((text, index) => [`module-${index}.rego`, text])),
    "case.rego": `package ${policyPackage}\n\n${question}\n`,
  };
}

/**
 * @param {Readonly<Record<string, string>>} modules
 * @param {string} data JSON text, kept as text since a double would lose digits
 */
export function buildRequest(modules, data) {
  const manifest = { metadata: { policy_package: policyPackage } };
  const request = JSON.stringify({ op: "build", modules, manifest, host_builtins: hostBuiltins });
  return `${request.slice(0, -1)},"data":${data}}`;
}

/**
 * The variable that a query of the usual form `data.test.p = x` binds.
 *
 * @param {string} query
 */
function namesIn(query) {
  const name = /= ([a-z]\w*)$/.exec(query)?.[1] ?? "";
  return ["", "true", "false", "null"].includes(name) ? [] : [name];
}
