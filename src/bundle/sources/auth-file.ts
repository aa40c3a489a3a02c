/**
 * The file in which Docker (`config.json`) and Podman (`auth.json`) keep logins: read by exact
 * host, changed one entry at a time with everything else in it left as it was. Errors never quote
 * it, since it holds passwords.
 */
import { randomUUID } from "node:crypto";
import { chmod, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import * as z from "zod";
import { codeOf, messageOf } from "../../errors.ts";
import { BundleError } from "../bundle-error.ts";
import type { Credentials } from "./credentials.ts";

/** A login file as far as it matters here. */
export interface AuthFile {
  /** By host, `registry.example:5000`; keys with a path stay as they are and match no host. */
  readonly auths: ReadonlyMap<string, Credentials>;
  /** Helper names by host. */
  readonly credHelpers: ReadonlyMap<string, string>;
  /** The helper for every other host. */
  readonly credsStore: string | undefined;
}

const entrySchema = z.looseObject({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
  registrytoken: z.string().optional(),
});
const fileSchema = z.looseObject({
  auths: z.record(z.string(), entrySchema).optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
  credsStore: z.string().optional(),
});
type FileContent = z.infer<typeof fileSchema>;

const dockerHubKey = "https://index.docker.io/v1/";
const dockerHubNames = ["docker.io", "index.docker.io", "registry-1.docker.io", dockerHubKey];

/** The names that a host has in login files: its own, and those that Docker Hub goes by. */
export function hostNames(host: string): readonly string[] {
  return dockerHubNames.includes(host) ? dockerHubNames : [host];
}

/**
 * Reads a login file.
 *
 * @returns `undefined` where there is none
 * @throws BundleError `bundle_credentials_unusable`
 */
export async function readAuthFile(path: string): Promise<AuthFile | undefined> {
  const content = await readContent(path);
  if (content === undefined) return undefined;
  const auths = Object.entries(content.auths ?? {}).flatMap(([key, entry]) => {
    const credentials = readEntry(entry);
    return credentials === undefined ? [] : [[hostOfKey(key), credentials] as const];
  });
  const helpers = Object.entries(content.credHelpers ?? {});
  return {
    auths: new Map(auths),
    credHelpers: new Map(helpers.map(([key, helper]) => [hostOfKey(key), helper])),
    credsStore: content.credsStore === "" ? undefined : content.credsStore,
  };
}

/**
 * Stores a login, or takes it away; mode 0600, whole or not at all.
 *
 * @param credentials - `undefined` removes the host's entry
 * @returns whether there was an entry before
 * @throws BundleError `bundle_credentials_unusable`
 */
export async function changeAuthFile(
  path: string,
  host: string,
  credentials: { readonly username: string; readonly password: string } | undefined,
): Promise<boolean> {
  const content = (await readContent(path)) ?? {};
  const entries = Object.entries(content.auths ?? {});
  const others = entries.filter(([key]) => !hostNames(host).includes(hostOfKey(key)));
  const hadOne = others.length < entries.length;
  if (credentials === undefined && !hadOne) return false;
  const added = credentials === undefined ? [] : [[keyOfHost(host), encode(credentials)] as const];
  const auths = Object.fromEntries([...others, ...added]);
  await writePrivately(path, `${JSON.stringify({ ...content, auths }, undefined, 2)}\n`);
  return hadOne;
}

async function readContent(path: string): Promise<FileContent | undefined> {
  const text = await readText(path);
  if (text === undefined || text.trim() === "") return undefined;
  try {
    return fileSchema.parse(JSON.parse(text));
  } catch (thrown) {
    // Parse errors quote the text.
    throw unusable(path, thrown instanceof SyntaxError ? "it is not JSON" : "it has another shape");
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT" || codeOf(thrown) === "ENOTDIR") return undefined;
    throw unusable(path, codeOf(thrown) ?? messageOf(thrown));
  }
}

async function writePrivately(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await chmod(temporary, 0o600);
    await rename(temporary, path);
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw unusable(path, codeOf(thrown) ?? messageOf(thrown));
  }
}

function readEntry(entry: z.infer<typeof entrySchema>): Credentials | undefined {
  const { auth = "", username, password, identitytoken = "", registrytoken = "" } = entry;
  if (registrytoken !== "") return { token: registrytoken };
  if (identitytoken !== "") return { identityToken: identitytoken };
  if (username !== undefined && password !== undefined) return { username, password };
  const decoded = Buffer.from(auth, "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  if (colon <= 0) return undefined;
  // Docker pads with NUL on some platforms.
  const secret = decoded.slice(colon + 1).replace(/\0+$/, "");
  return { username: decoded.slice(0, colon), password: secret };
}

function encode({ username, password }: { username: string; password: string }): object {
  return { auth: Buffer.from(`${username}:${password}`).toString("base64") };
}

/** Docker writes hosts bare or as `https://host/v1/`. */
function hostOfKey(key: string): string {
  return /^https?:\/\/([^/]+)\/?(?:v[12]\/?)?$/.exec(key)?.[1] ?? key;
}

/** The key that Docker itself looks under for its hub. */
export function keyOfHost(host: string): string {
  return dockerHubNames.includes(host) ? dockerHubKey : host;
}

function unusable(path: string, reason: string): BundleError {
  return new BundleError(
    "bundle_credentials_unusable",
    `cannot use the registry logins in ${path}: ${reason}`,
  );
}
