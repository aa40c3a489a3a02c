/**
 * Replaces `${env:NAME}` and `${file:PATH}` where secrets belong: a server's `args`, `env`, `headers`
 * and client secret, a registry's credentials, a webhook's URL and secret, `telemetry.otlp.headers`, `decisions.export.headers`, `decisions.store` and `.checkpoints.key`, `decisions.masking`, `state.redis_url`, `state_key`. Anywhere else they are refused, so that none is taken
 * literally by mistake. A finding names the variable or file and never what it holds.
 */
import { resolve } from "node:path";
import { isRecord } from "../contract/json.ts";
import type { ConfigPath, Finding } from "./config-document.ts";
import { secretsIn, secretsOfUrl } from "./known-secrets.ts";
import { readTrustedFile } from "./read-trusted-file.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ExpandOptions {
  readonly env: Environment;
  /** Folder of the configuration file. */
  readonly folder: string;
  /** False where the platform has no POSIX permissions. */
  readonly checkModes: boolean;
}

export interface Expansion {
  readonly value: unknown;
  /** What references brought, and what else stands where only secrets do. */
  readonly secrets: readonly string[];
  readonly problems: readonly Finding[];
  readonly warnings: readonly Finding[];
}

const reference = /\$\{(env|file):([^}]*)\}/g;
const secretFileLimit = 65_536;

/** A copy of the value with every reference replaced; a failing one stays as it was. */
export function expandReferences(value: unknown, options: ExpandOptions): Expansion {
  const problems: Finding[] = [];
  const warnings: Finding[] = [];
  const secrets = new Set<string>();
  const expanded = mapStrings(value, [], (text, path) => {
    if (!isSecretPlace(path)) {
      if (text.search(reference) >= 0) problems.push(misplaced(path));
      for (const secret of secretsOfUrl(text)) secrets.add(secret);
      return text;
    }
    if (isKeysOnly(path) && text.search(reference) < 0) problems.push(literal(path));
    if (path[2] === "args" && text.search(reference) >= 0) warnings.push(visibleToAll(path));
    const brought: string[] = [];
    const whole = text.replace(reference, (written, kind: string, name: string) => {
      const result = kind === "env" ? readVariable(name, options) : readSecretFile(name, options);
      for (const message of isOpenKey(path) ? [] : result.warnings) {
        warnings.push({ path, message: at(path, message) });
      }
      if (result.ok) brought.push(result.text);
      if (result.ok) return result.text;
      problems.push({ path, message: at(path, result.message), covers: path });
      return written;
    });
    for (const secret of isOpenKey(path) ? [] : secretsIn(whole, path, brought)) {
      secrets.add(secret);
    }
    return whole;
  });
  return { value: expanded, secrets: [...secrets], problems, warnings };
}

function misplaced(path: ConfigPath): Finding {
  const places =
    "servers.NAME.args, env, headers and oauth.client_secret, registries.HOST, trust.NAME.key, approvals.webhooks.N and notify.channels.N (url and secret), telemetry.otlp.headers, decisions.export.headers, decisions.store, decisions.checkpoints.key, decisions.masking.key and recipients, state.redis_url and state_key";
  const message = `\${env:…} and \${file:…} are expanded only in ${places}`;
  return { path, message: at(path, message), covers: path };
}

/** Headers of a collector or of a receiver are there for its keys. */
function isKeysOnly([first, second]: ConfigPath): boolean {
  return first === "telemetry" || (first === "decisions" && second === "export");
}

function literal(path: ConfigPath): Finding {
  const message = "expected ${env:NAME} or ${file:PATH}, found a text of its own";
  return { path, message: at(path, message), covers: path };
}

/** Arguments of a process can be read by every user of the machine. */
function visibleToAll(path: ConfigPath): Finding {
  const message = "every user of this machine can see what is in args; put secrets into env";
  return { path, message: at(path, message) };
}

function isSecretPlace(path: ConfigPath): boolean {
  const [first, , third, fourth] = path;
  if (first === "servers") {
    if (third === "oauth") return path.length === 4 && fourth === "client_secret";
    return path.length === 4 && (third === "args" || third === "env" || third === "headers");
  }
  if (first === "registries") return path.length === 3;
  if (first === "trust") return path.length === 3 && third === "key";
  if (first === "approvals") {
    // Chat systems put the secret into the URL.
    return (
      path.length === 4 && path[1] === "webhooks" && ["secret", "url"].includes(String(fourth))
    );
  }
  if (first === "notify") return path.length === 4 && ["secret", "url"].includes(String(fourth));
  if (first === "telemetry") return path.length === 4 && path[1] === "otlp" && third === "headers";
  if (first === "state_key") return path.length === 1;
  if (first === "state") return path[1] === "redis_url" && path.length === 2;
  if (first !== "decisions") return false;
  if (path[1] === "export") return path.length === 4 && third === "headers";
  // What is refused by its name is read, so that nothing else is said about it.
  const keys = ["store", "checkpoints.key", "masking.key", "masking.unmask_key"];
  return isOpenKey(path) || keys.includes(path.slice(1).join("."));
}

/** A public key comes from a file like a secret, and is none. */
function isOpenKey([first, second, third, ...rest]: ConfigPath): boolean {
  return first === "decisions" && second === "masking" && third === "recipients" && rest.length < 2;
}

function mapStrings(
  value: unknown,
  path: ConfigPath,
  replace: (text: string, path: ConfigPath) => string,
): unknown {
  if (typeof value === "string") return replace(value, path);
  if (Array.isArray(value)) {
    return value.map((item, index) => mapStrings(item, [...path, index], replace));
  }
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, mapStrings(item, [...path, key], replace)]),
  );
}

type Read = { readonly warnings: readonly string[] } & (
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly message: string }
);

function readVariable(name: string, { env }: ExpandOptions): Read {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    return failed("expected ${env:NAME} with the name of an environment variable");
  }
  const text = Object.hasOwn(env, name) ? env[name] : undefined;
  if (text !== undefined) return { ok: true, text, warnings: [] };
  return failed(`environment variable ${name} is not set; set it where the gateway is started`);
}

function readSecretFile(name: string, options: ExpandOptions): Read {
  if (name === "") return failed("expected ${file:PATH} with the path of a file");
  const path = resolve(options.folder, name);
  const { checkModes } = options;
  const read = readTrustedFile(path, { maxBytes: secretFileLimit, checkModes });
  if (!read.ok) return failed(read.message);
  const warnings = read.readableByAll ? [`every user can read ${path}; run chmod o-r ${path}`] : [];
  return { ok: true, text: read.text.replace(/\r?\n$/, ""), warnings };
}

function failed(message: string): Read {
  return { ok: false, message, warnings: [] };
}

function at(path: ConfigPath, message: string): string {
  return `${path.join(".")}: ${message}`;
}
