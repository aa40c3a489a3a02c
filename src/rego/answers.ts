/**
 * What the toolchain's program answers, checked once where it comes in. Names are those of the
 * JSON that the program writes (`toolchain/rego`), so that `-o json` prints what it said.
 */
import * as z from "zod";
import { bundleKinds } from "../contract/bundle.ts";

const place = { file: z.string(), row: z.number(), col: z.number() };

const problem = z.object({
  code: z.string(),
  message: z.string(),
  ...place,
  details: z.array(z.string()).default([]),
});

const summary = {
  package: z.string(),
  layer: z.enum(bundleKinds),
  rules: z.array(z.string()),
  entrypoints: z.array(z.string()),
  required_builtins: z.array(z.string()),
};

const testCase = z.object({ name: z.string(), outcome: z.enum(["pass", "fail"]) });

const testResult = z.object({
  package: z.string(),
  name: z.string(),
  file: z.string(),
  row: z.number(),
  outcome: z.enum(["pass", "fail", "error", "skip"]),
  duration_ns: z.number(),
  output: z.string(),
  error: z.string().optional(),
  failed_at: z.object({ ...place, text: z.string() }).optional(),
  cases: z.array(testCase).default([]),
});

const fileCoverage = z.object({
  percent: z.number(),
  not_covered: z.array(z.object({ first: z.number(), last: z.number() })),
});

const coverage = z.object({
  percent: z.number(),
  covered_lines: z.number(),
  not_covered_lines: z.number(),
  files: z.record(z.string(), fileCoverage),
});

const annotation = z.object({
  path: z.string(),
  annotations: z.looseObject({
    scope: z.string(),
    title: z.string().optional(),
    description: z.string().optional(),
    custom: z.record(z.string(), z.unknown()).optional(),
  }),
  ...place,
});

export const versionAnswer = z.object({ opa_version: z.string(), go_version: z.string() });
export const checkAnswer = z.object(summary);
export const buildAnswer = z.object({ ...summary, files: z.record(z.string(), z.string()) });
export const testAnswer = z.object({ tests: z.array(testResult), coverage });
export const evalAnswer = z.object({
  defined: z.boolean(),
  value: z.unknown(),
  query: z.string(),
});
export const inspectAnswer = z.object({
  ...summary,
  manifest: z.object({
    revision: z.string(),
    roots: z.array(z.string()).nullable(),
    metadata: z.record(z.string(), z.unknown()).nullable(),
  }),
  packages: z.array(z.string()),
  definitions: z.array(z.object({ rule: z.string(), ...place })),
  annotations: z.array(annotation),
  tests: z.array(z.string()),
});
export const capabilitiesAnswer = z.looseObject({
  builtins: z.array(z.looseObject({ name: z.string() })),
});

/** The envelope of every answer. */
export const envelope = z.object({
  result: z.unknown().optional(),
  problems: z.array(problem).default([]),
  fault: z.string().optional(),
});

/** One reason why a policy is refused; `row` and `col` count from 1, 0 where there is no place. */
export type RegoProblem = z.infer<typeof problem>;
/** What a policy that is in order defines and needs. */
export type PolicySummary = z.infer<typeof checkAnswer>;
export type RegoTestReport = z.infer<typeof testAnswer>;
export type RegoTestResult = z.infer<typeof testResult>;
export type RegoEvaluation = z.infer<typeof evalAnswer>;
export type PolicyInspection = z.infer<typeof inspectAnswer>;
export type ToolchainVersion = z.infer<typeof versionAnswer>;
export type OpaCapabilities = z.infer<typeof capabilitiesAnswer>;

/** A policy's answer, or everything that is wrong with it. */
export type RegoResult<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly problems: readonly RegoProblem[] };

/** The files of a built bundle by path (`policy.wasm`, `.manifest`, …), and what is in them. */
export interface BuiltPolicy extends PolicySummary {
  readonly files: ReadonlyMap<string, Uint8Array>;
}
