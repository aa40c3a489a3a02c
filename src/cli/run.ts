/**
 * The command line: one noun, one file, loaded only when it is asked for, so that `serve` starts
 * without what `policy` needs.
 */
import { Command, CommanderError } from "commander";
import { gatewayName, gatewayVersion } from "../contract/version.ts";
import type { CliIo } from "./io.ts";
import { exitCodes } from "./exit-code.ts";
import { CliError } from "./io.ts";

type Register = (program: Command, io: CliIo) => void;

const nouns: Readonly<Record<string, () => Promise<Register>>> = {
  serve: async () => (await import("./serve.ts")).registerServeCommand,
  validate: async () => (await import("./validate.ts")).registerValidateCommand,
  policy: async () => (await import("./policy.ts")).registerPolicyCommands,
  bundle: async () => (await import("./bundle.ts")).registerBundleCommands,
  server: async () => (await import("./server.ts")).registerServerCommands,
  decision: async () => (await import("./decision.ts")).registerDecisionCommands,
  replay: async () => (await import("./replay.ts")).registerReplayCommand,
  approval: async () => (await import("./approval.ts")).registerApprovalCommands,
  budget: async () => (await import("./budget.ts")).registerBudgetCommands,
  block: async () => (await import("./block.ts")).registerBlockCommands,
  db: async () => (await import("./db.ts")).registerDatabaseCommands,
  audit: async () => (await import("./audit.ts")).registerAuditCommands,
  waiver: async () => (await import("./waiver.ts")).registerWaiverCommands,
  status: async () => (await import("./status.ts")).registerStatusCommand,
  login: async () => (await import("./login.ts")).registerLoginCommand,
  logout: async () => (await import("./login.ts")).registerLogoutCommand,
};

/** Runs one command line, without the program's own name; the exit code goes to `io`. */
export async function run(argv: readonly string[], io: CliIo): Promise<void> {
  const program = new Command(gatewayName)
    .description("one MCP server in front of all the others: every call decided by policy")
    .version(gatewayVersion)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text.trimEnd()),
      writeErr: (text) => io.err(text.trimEnd()),
    });
  const wanted = Object.keys(nouns).filter((noun) => noun === argv[0]);
  for (const noun of wanted.length > 0 ? wanted : Object.keys(nouns)) {
    const register = await nouns[noun]?.();
    register?.(program, io);
  }
  inheritSettings(program);
  try {
    await program.parseAsync([...argv], { from: "user" });
  } catch (thrown) {
    endWith(io, thrown);
  }
}

/** Subcommands are made without the settings of their parent. */
function inheritSettings(parent: Command): void {
  for (const command of parent.commands) {
    command.copyInheritedSettings(parent);
    inheritSettings(command);
  }
}

function endWith(io: CliIo, thrown: unknown): void {
  if (thrown instanceof CommanderError) {
    io.exit(thrown.exitCode === 0 ? exitCodes.done : exitCodes.usage);
  } else if (thrown instanceof CliError) {
    io.err(`error: ${thrown.message}`);
    io.exit(thrown.exitCode);
  } else {
    throw thrown;
  }
}
