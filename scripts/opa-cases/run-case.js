/**
 * One case through the product: built by its toolchain, evaluated by its policy instance, and held
 * against what the case wants.
 *
 * Errors are judged as OPA's own WebAssembly runner does: those of strict mode are an undefined
 * result, and a conflict ends the evaluation.
 */
import { compilePolicy } from "../../dist/policy/engine/compiled-policy.js";
import { createNdBuiltinCache } from "../../dist/policy/engine/nd-builtin-cache.js";
import { openPolicyInstance } from "../../dist/policy/engine/policy-instance.js";
import { buildRequest, entrypoint, modulesOf } from "./build-request.js";
import { areSameBindings } from "./compare-values.js";
import { renameUnused } from "./rename-unused.js";

/**
 * @typedef {import("./case-files.js").OpaCase} OpaCase
 * @typedef {{ outcome: "pass" | "fail" | "skip", reason: string }} Outcome
 * @typedef {import("./rename-unused.js").Place & { code: string }} Problem
 * @typedef {{ result?: { files: Record<string, string> }, problems?: Problem[], fault?: string }} Answer
 * @typedef {(request: string) => Promise<string>} Ask
 */

const maximumPages = 4096;
/** A case's own time; those that read the clock want no certain value. */
const timeMs = Date.parse("2026-01-01T00:00:00Z");
/** Builtins that the gateway refuses, and one that only OPA's own tests have. */
const refused = [
  "http.send",
  "net.lookup_ip_addr",
  "opa.runtime",
  "rego.parse_module",
  "test.sleep",
];
const conflicts = ["var assignment conflict", "object insert conflict"];
/** One round finds what the renaming of another made unused. */
const renamings = 3;

/**
 * @param {OpaCase} opaCase
 * @param {Ask} ask the toolchain
 * @returns {Promise<Outcome>}
 */
export async function runCase(opaCase, ask) {
  const answer = await build(opaCase, ask);
  if (answer.fault !== undefined) return fail(`the toolchain failed: ${answer.fault}`);
  if (answer.result === undefined) return judgeRefusal(opaCase, answer.problems ?? []);
  const files = new Map(Object.entries(answer.result.files));
  try {
    return judgeResult(opaCase, await evaluate(opaCase, files));
  } catch (thrown) {
    return judgeThrown(opaCase, thrown instanceof Error ? thrown.message : String(thrown));
  }
}

/**
 * @param {OpaCase} opaCase
 * @param {Ask} ask
 */
async function build(opaCase, ask) {
  /** @type {Record<string, string> | undefined} */
  let modules = modulesOf(opaCase);
  /** @type {Answer} */
  let answer = {};
  for (let left = renamings; modules !== undefined && left >= 0; left -= 1) {
    answer = JSON.parse(await ask(buildRequest(modules, opaCase.data)));
    if (answer.problems === undefined) return answer;
    modules = renameUnused(modules, answer.problems);
  }
  return answer;
}

/**
 * @param {OpaCase} opaCase
 * @param {Map<string, string>} files in Base64
 */
async function evaluate({ input }, files) {
  const wasm = Buffer.from(files.get("policy.wasm") ?? "", "base64");
  const data = Buffer.from(files.get("data.json") ?? "", "base64");
  const instance = await openPolicyInstance(await compilePolicy(wasm, maximumPages), data);
  const id = instance.entrypoints.get(entrypoint) ?? -1;
  const context = { timeMs, seed: "opa-cases", ndBuiltinCache: createNdBuiltinCache() };
  return instance.evaluate(id, Buffer.from(input ?? "{}"), context);
}

/**
 * @param {OpaCase} opaCase
 * @param {string} text the result set as JSON
 * @returns {Outcome}
 */
function judgeResult(opaCase, text) {
  const found = text === "[]" ? "[]" : text.replace(/^\[\{"result":\s*/, "").replace(/\}\]$/, "");
  const { wantResult, wantDefined, wantError, strictError, sortBindings } = opaCase;
  if (wantDefined !== undefined) {
    return (found !== "[]") === wantDefined ? passed : fail(`found ${found}`);
  }
  if (wantResult === undefined && wantError && !strictError) {
    return fail(`expected ${opaCase.wantErrorCode ?? "an error"}, found ${found}`);
  }
  const wanted = wantResult ?? "[]";
  return areSameBindings(wanted, found, sortBindings)
    ? passed
    : fail(`expected ${wanted}, found ${found}`);
}

/**
 * @param {OpaCase} opaCase
 * @param {string} message
 * @returns {Outcome}
 */
function judgeThrown({ wantErrorCode, strictError, wantResult }, message) {
  const isWanted = wantErrorCode === "eval_conflict_error" && !strictError;
  if (isWanted && wantResult === undefined && conflicts.some((text) => message.includes(text))) {
    return passed;
  }
  return fail(`found an error: ${message}`);
}

/**
 * @param {OpaCase} opaCase
 * @param {readonly Problem[]} problems
 * @returns {Outcome}
 */
function judgeRefusal({ wantErrorCode, modules, query }, problems) {
  const sources = [...modules, query].join("\n");
  const builtin = refused.find((name) => sources.includes(name));
  if (builtin !== undefined) return { outcome: "skip", reason: `calls ${builtin}` };
  if (wantErrorCode !== undefined && problems.some(({ code }) => code === wantErrorCode)) {
    return passed;
  }
  const text = problems.map(({ code, message }) => `${code}: ${message}`).join("; ");
  return fail(`the build refused it: ${text}`);
}

/** @type {Outcome} */
const passed = { outcome: "pass", reason: "" };

/**
 * @param {string} reason
 * @returns {Outcome}
 */
function fail(reason) {
  return { outcome: "fail", reason };
}
