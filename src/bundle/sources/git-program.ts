/**
 * Runs the `git` program so that nothing but the one repository has a say: no configuration of the
 * machine or user, no hooks, no submodules, no prompts, no other protocol, no redirect. Credentials
 * travel in the environment, never in arguments; what git writes about a failure is not repeated,
 * since a server chose part of it.
 */
import type { ChildProcessByStdio } from "node:child_process";
import { spawn } from "node:child_process";
import { devNull } from "node:os";
import type { Readable, Writable } from "node:stream";
import { codeOf, messageOf } from "../../errors.ts";
import { BundleError } from "../bundle-error.ts";

/** What one use of git may do. */
export interface GitOptions {
  /** The only protocol that is spoken. */
  readonly protocol: "https" | "file";
  /** Private folder that is its home and its temporary folder. */
  readonly home: string;
  /** Of the gateway; a few variables of it are passed on. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Settings beside the safe ones, as `name` and `value`. */
  readonly settings: readonly (readonly [name: string, value: string])[];
  readonly signal: AbortSignal;
  /** Reference for messages. */
  readonly where: string;
}

const passedOn = [
  "PATH",
  "HTTPS_PROXY",
  "https_proxy",
  "ALL_PROXY",
  "all_proxy",
  "NO_PROXY",
  "no_proxy",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "SYSTEMROOT",
] as const;

const safeSettings: readonly (readonly [string, string])[] = [
  ["core.hooksPath", devNull],
  ["core.fsmonitor", "false"],
  ["core.askPass", ""],
  ["credential.helper", ""],
  ["http.followRedirects", "false"],
  ["http.lowSpeedLimit", "100"],
  ["http.lowSpeedTime", "30"],
  ["submodule.recurse", "false"],
  ["fetch.recurseSubmodules", "false"],
  ["fetch.fsckObjects", "true"],
  // What was sent stays one file, whose size can be looked at.
  ["fetch.unpackLimit", "1"],
  ["gc.auto", "0"],
  ["maintenance.auto", "false"],
];
const maxErrorBytes = 64 * 1024;

/**
 * Runs git and gives what it wrote to stdout.
 *
 * @param limits - `maxBytes` of output; `input` for its stdin
 * @throws BundleError
 */
export async function runGit(
  args: readonly string[],
  options: GitOptions,
  { maxBytes, input }: { readonly maxBytes: number; readonly input?: string },
): Promise<Buffer> {
  const child = spawn("git", args, {
    cwd: options.home,
    env: environment(options),
    stdio: ["pipe", "pipe", "pipe"],
    // A group of its own, so that its helpers end with it.
    detached: true,
    windowsHide: true,
  });
  const kill = (): void => {
    killGroup(child);
  };
  options.signal.addEventListener("abort", kill, { once: true });
  try {
    child.stdin.on("error", ignore);
    child.stdin.end(input ?? "");
    const ended = endOf(child);
    const [output, said, code] = await Promise.all([
      collect(child.stdout, maxBytes, kill),
      collect(child.stderr, maxErrorBytes, ignore),
      ended,
    ]);
    if (options.signal.aborted) throw failed(options.where, "it did not end in time");
    if (output.isCut) throw tooMuch(options.where, maxBytes);
    if (code === 0) return output.bytes;
    throw failureFor(options.where, said.bytes.toString("utf8"));
  } catch (thrown) {
    if (thrown instanceof BundleError) throw thrown;
    const isMissing = codeOf(thrown) === "ENOENT";
    const reason = isMissing ? "there is no git program on PATH" : messageOf(thrown);
    throw failed(options.where, reason, thrown);
  } finally {
    options.signal.removeEventListener("abort", kill);
  }
}

type GitProcess = ChildProcessByStdio<Writable, Readable, Readable>;

function environment({ protocol, home, env, settings }: GitOptions): Record<string, string> {
  const all = [...safeSettings, ...settings];
  const own = passedOn.flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const configured = all.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key] as const,
    [`GIT_CONFIG_VALUE_${index}`, value] as const,
  ]);
  return {
    ...Object.fromEntries(own),
    ...Object.fromEntries(configured),
    GIT_CONFIG_COUNT: String(all.length),
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: devNull,
    GIT_CONFIG_SYSTEM: devNull,
    GIT_TERMINAL_PROMPT: "0",
    GIT_ALLOW_PROTOCOL: protocol,
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_CEILING_DIRECTORIES: home,
    HOME: home,
    XDG_CONFIG_HOME: home,
    TMPDIR: home,
    LC_ALL: "C",
  };
}

function ignore(): void {}

function killGroup(child: GitProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    child.kill("SIGKILL");
  }
}

function endOf(child: GitProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
}

/** Reads to the end and keeps a beginning. */
async function collect(
  stream: Readable,
  maxBytes: number,
  onCut: () => void,
): Promise<{ readonly bytes: Buffer; readonly isCut: boolean }> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const bytes: Buffer = Buffer.from(chunk);
    length += bytes.length;
    if (length <= maxBytes) chunks.push(bytes);
    else onCut();
  }
  return { bytes: Buffer.concat(chunks), isCut: length > maxBytes };
}

/** What kind of failure it is, told by git's own words. */
function failureFor(where: string, said: string): BundleError {
  if (/authentication failed|could not read (?:username|password)|error: 40[13]/i.test(said)) {
    const advice = "set username and password, or token, of its host under registries";
    return new BundleError("bundle_unauthorized", `${where}: git may not read it; ${advice}`);
  }
  if (/dubious ownership/i.test(said)) {
    const reason = "the repository belongs to another user";
    return new BundleError("bundle_storage_failed", `${where}: git does not read it: ${reason}`);
  }
  if (
    /not found|does not exist|not appear to be a git|not our ref|couldn't find remote ref/i.test(
      said,
    )
  ) {
    const expected = "expected the repository, and the ref or commit in it, found none";
    return new BundleError("bundle_not_found", `${where}: ${expected}`);
  }
  if (/redirect/i.test(said)) {
    const found = "found a redirect; use the address that it leads to";
    return new BundleError("bundle_redirect_refused", `${where}: expected a repository, ${found}`);
  }
  return failed(where, "git ended with an error");
}

function failed(where: string, reason: string, cause?: unknown): BundleError {
  const message = `${where}: expected an answer from git, got none (${reason}); check the address and the network`;
  return new BundleError("bundle_unreachable", message, { cause });
}

function tooMuch(where: string, maxBytes: number): BundleError {
  const message = `${where}: expected at most ${maxBytes} bytes from git, found more`;
  return new BundleError("bundle_too_large", message);
}
