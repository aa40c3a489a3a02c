/**
 * `mcp-gateway policy check|test|build|eval`: what an author of policies does, with the toolchain
 * that the gateway itself uses. Reports go to stdout; what is wrong with a policy goes to stderr,
 * one problem a line, `file:line:column: message`.
 */
import type { Command } from "commander";
import type { RegoToolchain } from "../rego/create-rego-toolchain.ts";
import { exitCodes } from "./exit-code.ts";
import { action, CliError } from "./io.ts";
import { withOutputOption } from "./print.ts";
import type { CliIo } from "./io.ts";
import type { OutputFormat } from "./print.ts";
import { buildPolicy } from "./policy/build-policy.ts";
import { checkPolicies } from "./policy/check-policies.ts";
import { evalPolicy } from "./policy/eval-policy.ts";
import type { StackTestRequest } from "./policy/stack/test-stack.ts";
import { testPolicies } from "./policy/test-policies.ts";
import { withToolchain as withOwnToolchain } from "./with-toolchain.ts";

interface Output {
  readonly output: OutputFormat;
}

/** Runs a command with a toolchain and closes it. */
type WithToolchain = (run: (toolchain: RegoToolchain) => Promise<void>) => Promise<void>;

/**
 * Adds the noun `policy` with its verbs.
 *
 * @param withToolchain - where the toolchain of a command comes from; handed in by tests
 */
export function registerPolicyCommands(
  program: Command,
  io: CliIo,
  withToolchain: WithToolchain = withOwnToolchain,
): void {
  const policy = program.command("policy").description("author policies: check, test, build, eval");
  addCheck(policy, io, withToolchain);
  addTest(policy, io, withToolchain);
  addBuild(policy, io, withToolchain);
  addEval(policy, io, withToolchain);
}

function addCheck(policy: Command, io: CliIo, withToolchain: WithToolchain): void {
  withOutputOption(policy.command("check"))
    .description("compile policies as the gateway does and say everything that is wrong with them")
    .argument("<folder...>", "folders with Rego sources")
    .action(
      action(io, (folders: string[], { output }: Output) =>
        withToolchain((toolchain) => checkPolicies({ io, toolchain, folders, format: output })),
      ),
    );
}

interface TestOptions extends Output {
  readonly run: string;
  readonly stack?: boolean;
  readonly config?: string;
  readonly junit?: string;
}

function addTest(policy: Command, io: CliIo, withToolchain: WithToolchain): void {
  withOutputOption(policy.command("test"))
    .description("run the tests of policies; exit code 4 where one fails")
    .argument("[path...]", "folders with Rego sources and tests; with --stack, files of cases")
    .option("-r, --run <regex>", "only tests whose full name it finds", "")
    .option("--stack", "run cases through all layers of the configuration and their combining")
    .option("-c, --config <file>", "configuration of --stack (default: see docs/configure.md)")
    .option("--junit <file>", "with --stack, write the report that build servers read")
    .action(
      action(io, (paths: string[], { output: format, run: filter, ...options }: TestOptions) => {
        if (options.stack === true)
          return stackTests({ io, files: paths, format, filter }, options);
        requireFolders(paths, options);
        return withToolchain((toolchain) =>
          testPolicies({ io, toolchain, folders: paths, format, filter }),
        );
      }),
    );
}

async function stackTests(
  request: Omit<StackTestRequest, "config" | "junit">,
  { config, junit }: Omit<TestOptions, "output" | "run">,
): Promise<void> {
  const { testStack } = await import("./policy/stack/test-stack.ts");
  await testStack({ ...request, config, junit });
}

function requireFolders(paths: readonly string[], { config, junit }: Partial<TestOptions>): void {
  if (paths.length > 0 && config === undefined && junit === undefined) return;
  const found = paths.length === 0 ? "none" : "--config or --junit";
  throw new CliError(
    exitCodes.usage,
    `expected folders with Rego sources and tests, or --stack, found ${found}`,
  );
}

function addBuild(policy: Command, io: CliIo, withToolchain: WithToolchain): void {
  withOutputOption(policy.command("build"))
    .description("compile a policy into a bundle (tar.gz); the same sources give the same bytes")
    .argument("<folder>", "folder with Rego sources")
    .option("-f, --file <file>", "where to write the bundle", "bundle.tar.gz")
    .action(
      action(io, (folder: string, { output, file }: Output & { file: string }) =>
        withToolchain((toolchain) => buildPolicy({ io, toolchain, folder, file, format: output })),
      ),
    );
}

interface EvalOptions extends Output {
  readonly input: string;
  readonly query?: string;
  readonly exitOnDeny?: boolean;
}

function addEval(policy: Command, io: CliIo, withToolchain: WithToolchain): void {
  withOutputOption(policy.command("eval"), "json")
    .description("ask a policy about one input document")
    .argument("<folder>", "folder with Rego sources")
    .requiredOption("-i, --input <file>", "input document, JSON")
    .option("-q, --query <query>", "what to ask, data.…; the decision where it is not said")
    .option("--exit-on-deny", "exit code 6 where the policy refuses or grants nothing")
    .action(
      action(io, (folder: string, { output, ...options }: EvalOptions) =>
        withToolchain((toolchain) =>
          evalPolicy({ io, toolchain, folder, format: output, ...options }),
        ),
      ),
    );
}
