/**
 * `logout REGISTRY`: forgets a login where `login` keeps it.
 */
import { changeAuthFile } from "../../bundle/sources/auth-file.ts";
import { eraseFromHelper } from "../../bundle/sources/credential-helper.ts";
import type { CliIo } from "../io.ts";
import { findLoginPlace, registryHost } from "./login-place.ts";

/** Forgets one login; being logged out already is no failure. */
export async function logoutCommand(
  io: CliIo,
  registryText: string,
  authfile: string | undefined,
): Promise<void> {
  const host = registryHost(registryText);
  const place = await findLoginPlace(io, host, authfile);
  const hadOne =
    place.kind === "file"
      ? await changeAuthFile(place.path, host, undefined)
      : await eraseFromHelper(place.helper, place.key, { env: io.env });
  io.err(hadOne ? `logged out of ${host}` : `there was no login at ${host}`);
}
