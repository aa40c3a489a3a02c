/**
 * Docker's credential helpers: programs `docker-credential-NAME` that keep passwords in a keychain
 * or make short-lived ones. Started without a shell, told the host on stdin, given ten seconds. A
 * name that could be a path or an option is refused before anything is started.
 */
import { execFile } from "node:child_process";
import * as z from "zod";
import { codeOf } from "../../errors.ts";
import { BundleError } from "../bundle-error.ts";
import type { Credentials } from "./credentials.ts";

/** How helpers are started. */
export interface HelperOptions {
  /** Environment of the helper; `PATH` in it is where the program is looked for. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Default 10,000. */
  readonly timeoutMs?: number;
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const maxAnswerBytes = 128 * 1024;
/** What every helper says, on stdout, of a host that it does not know. */
const notFound = /credentials not found/i;
const answerSchema = z.looseObject({ Username: z.string(), Secret: z.string() });

/**
 * Asks a helper for the login of a host.
 *
 * @returns `undefined` where the helper has none
 * @throws BundleError `bundle_credentials_unusable`
 */
export async function askHelper(
  name: string,
  host: string,
  options: HelperOptions,
): Promise<Credentials | undefined> {
  const { failed, output } = await runHelper(name, "get", host, options);
  if (failed !== undefined) {
    if (notFound.test(output)) return undefined;
    throw unusable(name, failed);
  }
  const { Username: username, Secret: secret } = readAnswer(name, output);
  if (secret === "") return undefined;
  return username === "<token>" ? { identityToken: secret } : { username, password: secret };
}

/**
 * Has a helper store a login.
 *
 * @throws BundleError `bundle_credentials_unusable`
 */
export async function storeInHelper(
  name: string,
  host: string,
  { username, password }: { readonly username: string; readonly password: string },
  options: HelperOptions,
): Promise<void> {
  const entry = JSON.stringify({ ServerURL: host, Username: username, Secret: password });
  const { failed } = await runHelper(name, "store", entry, options);
  if (failed !== undefined) throw unusable(name, failed);
}

/**
 * Has a helper forget a login.
 *
 * @returns whether it had one
 * @throws BundleError `bundle_credentials_unusable`
 */
export async function eraseFromHelper(
  name: string,
  host: string,
  options: HelperOptions,
): Promise<boolean> {
  const { failed, output } = await runHelper(name, "erase", host, options);
  if (failed === undefined) return true;
  if (notFound.test(output)) return false;
  throw unusable(name, failed);
}

/** Why it failed, if it did, never with its words: they may hold what it keeps. */
async function runHelper(
  name: string,
  verb: "get" | "store" | "erase",
  input: string,
  { env, timeoutMs = 10_000 }: HelperOptions,
): Promise<{ readonly failed: string | undefined; readonly output: string }> {
  if (!namePattern.test(name)) {
    const expected = "a name of letters, digits, . _ - that begins with a letter or digit";
    throw unusable(JSON.stringify(name.slice(0, 80)), `expected ${expected}`);
  }
  const limits = { timeout: timeoutMs, killSignal: "SIGKILL", maxBuffer: maxAnswerBytes } as const;
  return await new Promise((resolve) => {
    const child = execFile(
      `docker-credential-${name}`,
      [verb],
      { ...limits, env: { ...env }, shell: false, windowsHide: true },
      (error, stdout) => {
        resolve({
          failed: error === null ? undefined : reasonOf(error, timeoutMs),
          output: stdout,
        });
      },
    );
    // One that ended before it read its input is judged by how it ended.
    child.stdin?.on("error", ignore);
    child.stdin?.end(input);
  });
}

function ignore(): void {}

function reasonOf(error: Error & { readonly killed?: boolean }, timeoutMs: number): string {
  if (codeOf(error) === "ENOENT") return "there is no such program on PATH";
  if (codeOf(error) === "EACCES") return "it may not be run";
  if (codeOf(error) === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") return "it wrote too much";
  return error.killed === true ? `it did not end within ${timeoutMs} ms` : "it failed";
}

function readAnswer(name: string, output: string): z.infer<typeof answerSchema> {
  try {
    return answerSchema.parse(JSON.parse(output));
  } catch {
    throw unusable(name, "it did not answer with Username and Secret");
  }
}

function unusable(name: string, reason: string): BundleError {
  return new BundleError(
    "bundle_credentials_unusable",
    `cannot use the credential helper docker-credential-${name}: ${reason}`,
  );
}
