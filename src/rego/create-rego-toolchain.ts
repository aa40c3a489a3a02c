/**
 * The Rego toolchain as the rest of the gateway sees it: OPA's compiler, tester and evaluator with
 * typed requests and answers. What is wrong with a policy is a value with places in its sources;
 * what keeps the toolchain from answering is a `RegoError`.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type * as z from "zod";
import type { BundleKind } from "../contract/bundle.ts";
import { hostBuiltins } from "../contract/host-builtins.ts";
import type { Json, JsonObject } from "../contract/json.ts";
import type {
  BuiltPolicy,
  OpaCapabilities,
  PolicyInspection,
  PolicySummary,
  RegoEvaluation,
  RegoResult,
  RegoTestReport,
  ToolchainVersion,
} from "./answers.ts";
import {
  buildAnswer,
  capabilitiesAnswer,
  checkAnswer,
  envelope,
  evalAnswer,
  inspectAnswer,
  testAnswer,
  versionAnswer,
} from "./answers.ts";
import { packageRoot } from "../contract/package-root.ts";
import { counterProblems } from "./check-counters.ts";
import { maskProblems } from "./check-masks.ts";
import { libraryNameProblems } from "./check-library-name.ts";
import { metadataProblems } from "./check-metadata.ts";
import { writtenForProblems } from "./check-written-for.ts";
import { narrowUsage } from "./narrow-usage.ts";
import { RegoError } from "./rego-error.ts";
import { ToolchainThread } from "./toolchain-thread.ts";

/** The author's `.manifest`. */
export interface PolicyManifest {
  readonly revision?: string | undefined;
  readonly roots?: readonly string[] | undefined;
  /** 0: its modules are Rego v0 and are rewritten; 1 where it is not said. */
  readonly rego_version?: number | undefined;
  /** The same for modules that a glob names. */
  readonly file_rego_versions?: Readonly<Record<string, number>> | undefined;
  /** A JSON object. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** A policy in source form: Rego by path, base document, manifest. */
export interface PolicySources {
  readonly modules: Readonly<Record<string, string>>;
  readonly data?: JsonObject;
  readonly manifest?: PolicyManifest;
  /** What the bundle is to be used as; a manifest that says otherwise is a problem. */
  readonly layer?: BundleKind;
}

export interface RegoToolchain {
  /** Strict compile, types against the input document, the gateway's builtins, the contract. */
  readonly check: (sources: PolicySources) => Promise<RegoResult<PolicySummary>>;
  /** The files of a bundle. Same sources, same bytes. */
  readonly build: (sources: PolicySources) => Promise<RegoResult<BuiltPolicy>>;
  /** Runs the tests whose full name the regular expression `filter` finds; all without it. */
  readonly test: (
    sources: PolicySources & { filter?: string },
  ) => Promise<RegoResult<RegoTestReport>>;
  /** Evaluates with OPA's interpreter: the generated decision, or `query`. */
  readonly eval: (
    sources: PolicySources & { input: Json; query?: string },
  ) => Promise<RegoResult<RegoEvaluation>>;
  readonly inspect: (sources: PolicySources) => Promise<RegoResult<PolicyInspection>>;
  /** The capabilities file for `opa build --capabilities`. */
  readonly capabilities: () => Promise<OpaCapabilities>;
  readonly version: () => Promise<ToolchainVersion>;
  /** True while a thread exists; it starts with the first request and ends when idle. */
  readonly running: () => boolean;
  readonly close: () => Promise<void>;
}

export interface RegoToolchainOptions {
  /** How long an idle thread stays; 10 s. */
  readonly idleMs?: number;
  /** Deadline of each request, counted from its turn and without the start of the thread; 60 s. */
  readonly timeoutMs?: number;
  /** Folder of the artifact; the package's own `toolchain/dist`. */
  readonly artifactFolder?: string;
}

/** Makes a toolchain. Nothing starts before the first request. */
export function createRegoToolchain(options: RegoToolchainOptions = {}): RegoToolchain {
  const { idleMs = 10_000, timeoutMs = 60_000 } = options;
  const artifactFolder = options.artifactFolder ?? join(packageRoot(), "toolchain", "dist");
  const thread = new ToolchainThread({ artifactFolder, idleMs });
  const schema = once(readInputSchema);

  async function ask<Answer extends z.ZodType>(
    op: string,
    sources: { readonly manifest?: PolicyManifest },
    answer: Answer,
  ): Promise<RegoResult<z.infer<Answer>>> {
    const typed = narrowUsage(await schema(), sources.manifest);
    const common = { op, schema: typed, host_builtins: hostBuiltins };
    return read(await thread.ask(JSON.stringify({ ...sources, ...common }), timeoutMs), answer);
  }

  /** The answer of a policy that is in order, unless its METADATA or its manifest is not. */
  async function judge<Value>(
    sources: PolicySources,
    answer: RegoResult<Value>,
  ): Promise<RegoResult<Value>> {
    if (!answer.ok) return answer;
    const inspected = await ask("inspect", sources, inspectAnswer);
    if (!inspected.ok) return inspected;
    const problems = [
      ...metadataProblems(inspected.value, sources),
      ...counterProblems(sources),
      ...maskProblems(sources),
      ...libraryNameProblems(sources),
      ...writtenForProblems(sources, await schema()),
    ];
    return problems.length === 0 ? answer : { ok: false, problems };
  }

  return {
    check: async (sources) => judge(sources, await ask("check", sources, checkAnswer)),
    build: async (sources) => judge(sources, withBytes(await ask("build", sources, buildAnswer))),
    test: (sources) => ask("test", sources, testAnswer),
    eval: (sources) => ask("eval", sources, evalAnswer),
    inspect: (sources) => ask("inspect", sources, inspectAnswer),
    capabilities: async () => expectAnswer(await ask("capabilities", {}, capabilitiesAnswer)),
    version: async () => expectAnswer(await ask("version", {}, versionAnswer)),
    running: () => thread.running,
    close: () => thread.close(),
  };
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => (made ??= make());
}

async function readInputSchema(): Promise<unknown> {
  const path = join(packageRoot(), "schema", "input.schema.json");
  return JSON.parse(await readFile(path, "utf8"));
}

function read<Answer extends z.ZodType>(text: string, answer: Answer): RegoResult<z.infer<Answer>> {
  const { result, problems, fault } = envelope.parse(JSON.parse(text));
  if (fault !== undefined)
    throw new RegoError("rego_crashed", `the rego toolchain failed: ${fault}`);
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, value: answer.parse(result) };
}

function withBytes(built: RegoResult<z.infer<typeof buildAnswer>>): RegoResult<BuiltPolicy> {
  if (!built.ok) return built;
  const files = Object.entries(built.value.files).map(
    ([path, text]) => [path, new Uint8Array(Buffer.from(text, "base64"))] as const,
  );
  return { ok: true, value: { ...built.value, files: new Map(files) } };
}

function expectAnswer<Value>(result: RegoResult<Value>): Value {
  if (result.ok) return result.value;
  const [first] = result.problems;
  throw new RegoError(
    "rego_crashed",
    `the rego toolchain failed: ${first?.message ?? "no answer"}`,
  );
}
