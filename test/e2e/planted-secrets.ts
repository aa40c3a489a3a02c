/**
 * Secrets for a whole gateway, each with a name of its own, and the search for them in everything that
 * is left behind: raw, escaped, in base64 and in URLs.
 */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** As a service would make one: detectors know it. */
function keyLike(): string {
  return `ghp_${randomBytes(32).toString("hex").slice(0, 36)}`;
}

/** As a person would: nobody knows it but by a rule or by the configuration. */
function wordLike(): string {
  return `horse "${randomBytes(6).toString("hex")}" staple`;
}

function pem(): string {
  const body = randomBytes(96).toString("base64");
  return `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----`;
}

function signingKey(): string {
  const { privateKey } = generateKeyPairSync("ed25519");
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString().trim();
}

/** Of somebody who unmasks; no gateway has it. */
function unmaskKey(): string {
  const { privateKey } = generateKeyPairSync("x25519");
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString().trim();
}

/** A card number of its own: 15 digits and Luhn's check digit. */
function card(): string {
  const digits = `4${Array.from(randomBytes(14), (byte) => byte % 10).join("")}`;
  const sum = digits.split("").reduce((total, digit, index) => {
    const doubled = index % 2 === 0 ? Number(digit) * 2 : Number(digit);
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return `${digits}${(10 - (sum % 10)) % 10}`;
}

function token(): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const body = part({ sub: randomBytes(8).toString("hex") });
  return `${part({ alg: "RS256", typ: "JWT" })}.${body}.${randomBytes(24).toString("base64url")}`;
}

/** Places that detectors have to find a secret in. */
const detected = [
  "nested",
  "array",
  "name",
  "long_text",
  "json_text",
  "base64",
  "percent",
  "bearer",
  "by_name",
  "meta_value",
  "meta_name",
  "unknown_tool",
  "unknown_uri",
  "unknown_prompt",
  "client_name",
  "dropped_param",
  "result",
  "structured",
  "error_message",
  "error_data",
  "tool_error",
  "stderr",
  "stderr_start",
  "garbage",
  "progress",
  "log",
  "question",
  "answer",
  "malformed",
  "block_reason",
  "block_subject",
  "approve_reason",
  "front_query",
  "front_session",
  "front_bad_token",
  "front_code",
  "admin_bad_token",
  "trace",
  "resource_template",
  "resource_text",
  "resource_blob",
  "prompt_argument",
  "prompt_result",
  "completion_argument",
  "sampling_question",
  "sampling_answer",
  "log_message",
] as const;
/** Places that a rule or the configuration names. */
const named = [
  "schema_password",
  "schema_nested",
  "path",
  "path_item",
  "bundle_remove",
  "bundle_upsert",
  "reason_echo",
  "held_denied",
  "held_used",
  "held_expired",
  "env_of_server",
  "file_of_server",
  "literal_of_server",
  "registry_password",
  "registry_token",
  "webhook_secret",
  "webhook_url",
  "state_key",
  "mask_key",
  "url_query",
  "header_of_env",
  "header_of_file",
  "store_password",
  "redis_password",
  "otlp_header",
] as const;
/** What gateways are shown and do not keep. */
const shown = ["front_token", "admin_token"] as const;

export type PlantedPlace =
  | (typeof detected)[number]
  | (typeof named)[number]
  | (typeof shown)[number]
  | "card"
  | "checkpoint_key"
  | "unmask_key"
  | "stderr_key"
  | "listed_key"
  | "private_key"
  | "jwt";

/** All of them, by place; no two alike. */
export function plantSecrets(): ReadonlyMap<PlantedPlace, string> {
  return new Map<PlantedPlace, string>([
    ...detected.map((place) => [place, keyLike()] as const),
    ...named.map((place) => [place, wordLike()] as const),
    ...shown.map((place) => [place, randomBytes(20).toString("hex")] as const),
    ["webhook_secret", `whsec_${randomBytes(24).toString("base64")}`],
    ["state_key", `${wordLike()} ${wordLike()}`],
    ["card", card()],
    ["private_key", pem()],
    ["checkpoint_key", signingKey()],
    ["unmask_key", unmaskKey()],
    ["stderr_key", randomBytes(48).toString("base64")],
    ["listed_key", randomBytes(48).toString("base64")],
    ["jwt", token()],
  ]);
}

/** A text that may hold secrets, with where it is from. */
export interface Left {
  readonly where: string;
  readonly text: string;
}

/** Every file below a folder, as bytes that are read as Latin-1. */
export function filesBelow(folder: string): readonly Left[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => join(folder, path))
    .filter((path) => statSync(path).isFile())
    .map((where) => ({ where, text: readFileSync(where).toString("latin1") }));
}

/** `PLACE in FILE as FORM` for each secret that is somewhere. */
export function findSecrets(
  secrets: ReadonlyMap<string, string>,
  left: readonly Left[],
): readonly string[] {
  return [...secrets].flatMap(([place, secret]) =>
    [...formsOf(secret)].flatMap(([text, form]) =>
      left
        .filter((one) => one.text.includes(text))
        .map(({ where, text: all }) => {
          const at = all.indexOf(text);
          return `${place} in ${where} as ${form}: ${all.slice(Math.max(0, at - 80), at)}…`;
        }),
    ),
  );
}

/** Names of forms by what a secret looks like in them; many look alike. */
function formsOf(secret: string): ReadonlyMap<string, string> {
  const bytes = Buffer.from(secret);
  const json = JSON.stringify(secret).slice(1, -1);
  const latin = (text: string) => Buffer.from(text).toString("latin1");
  return new Map([
    [bytes.toString("hex"), "hex"],
    [encodeURIComponent(secret), "url"],
    [bytes.toString("base64url"), "base64url"],
    [bytes.toString("base64").replace(/=+$/, ""), "base64"],
    [latin(JSON.stringify(json).slice(1, -1)), "json twice"],
    [latin(json), "json"],
    ...(secret.split("\n").length < 3 ? [] : [[secret.split("\n")[1] ?? "", "line"] as const]),
    [latin(secret), "raw"],
  ]);
}
