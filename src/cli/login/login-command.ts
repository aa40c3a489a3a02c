/**
 * `login REGISTRY`: takes a user name and a password from stdin, shows them to the registry, and
 * keeps them if it takes them. Neither is ever an argument, which every user of a machine can see.
 */
import { changeAuthFile } from "../../bundle/sources/auth-file.ts";
import { checkLogin } from "../../bundle/sources/check-login.ts";
import { storeInHelper } from "../../bundle/sources/credential-helper.ts";
import type { BundleContext } from "../bundle/bundle-context.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";
import { findLoginPlace, registryHost } from "./login-place.ts";

/** Checks and stores one login. */
export async function loginCommand(
  { io, registry }: BundleContext,
  registryText: string,
  { username, authfile }: { readonly username?: string; readonly authfile?: string },
): Promise<void> {
  const host = registryHost(registryText);
  const login = await readLogin(io, username);
  const { wasAsked } = await checkLogin(host, login, registry);
  if (!wasAsked) io.err(`warning: ${host} asked for no login; this one is stored unchecked`);
  const place = await findLoginPlace(io, host, authfile);
  if (place.kind === "file") await changeAuthFile(place.path, host, login);
  else await storeInHelper(place.helper, place.key, login, { env: io.env });
  const where = place.kind === "file" ? place.path : `docker-credential-${place.helper}`;
  io.err(`logged in to ${host}; kept in ${where}`);
}

async function readLogin(
  io: CliIo,
  given: string | undefined,
): Promise<{ readonly username: string; readonly password: string }> {
  const lines = ((await io.readStdin?.()) ?? "").split(/\r?\n/);
  const username = given ?? lines.shift() ?? "";
  const password = lines.shift() ?? "";
  const isWhole = username !== "" && password !== "" && lines.every((line) => line === "");
  // A colon ends the user name in Basic authentication (RFC 7617 §2).
  if (isWhole && !username.includes(":")) return { username, password };
  const expected =
    given === undefined ? "user name and password on two lines" : "the password on one line";
  throw new CliError(exitCodes.usage, `expected ${expected} of stdin, found something else`);
}
