/**
 * What `io.jwt.decode_verify` demands of a token: keys or one secret, and optionally algorithm,
 * issuer, audience and time.
 */
import { createSecretKey } from "node:crypto";
import type { OpaValue } from "../../opa-value.ts";
import type { BuiltinContext } from "../builtin.ts";
import { readVerificationKeys } from "./verification-keys.ts";
import type { TokenKey } from "./verification-keys.ts";

export interface TokenConstraints {
  readonly keys: readonly TokenKey[];
  /** Empty where any will do. */
  readonly alg: string;
  readonly iss: string;
  /** Empty where a token may not have one. */
  readonly aud: string;
  /** Nanoseconds since the epoch, as exact as OPA has it: a double. */
  readonly timeNs: number;
}

const nsPerMs = 1e6;

/**
 * Reads the constraints.
 *
 * @throws For one that is not known or of another type, and without exactly one source of keys.
 */
export function readConstraints(
  value: OpaValue | undefined,
  { timeMs }: BuiltinContext,
): TokenConstraints {
  if (value?.kind !== "object") throw invalidConstraints();
  const members = new Map(value.members.map(([key, member]) => [nameOf(key), member]));
  const known = new Set(["cert", "secret", "alg", "iss", "aud", "time"]);
  if ([...members.keys()].some((name) => !known.has(name))) throw invalidConstraints();
  const text = (name: string): string => textOr(members.get(name), "");
  return {
    keys: readKeys(members.get("cert"), text("secret")),
    alg: text("alg"),
    iss: text("iss"),
    aud: text("aud"),
    timeNs: readTime(members.get("time")) ?? timeMs * nsPerMs,
  };
}

function readKeys(cert: OpaValue | undefined, secret: string): readonly TokenKey[] {
  if ((cert === undefined) === (secret === "")) throw invalidConstraints();
  if (cert !== undefined) return readVerificationKeys(textOr(cert, ""));
  return [{ key: createSecretKey(Buffer.from(secret)), alg: "", kid: "" }];
}

function readTime(value: OpaValue | undefined): number | undefined {
  if (value === undefined) return undefined;
  const timeNs = value.kind === "number" ? Number(value.text) : Number.NaN;
  if (!Number.isFinite(timeNs)) throw invalidConstraints();
  if (timeNs < 0) throw invalidConstraints();
  return timeNs;
}

function nameOf(key: OpaValue): string {
  return key.kind === "string" ? key.value : "";
}

function textOr(value: OpaValue | undefined, otherwise: string): string {
  if (value === undefined) return otherwise;
  if (value.kind !== "string") throw invalidConstraints();
  return value.value;
}

function invalidConstraints(): Error {
  return new Error("expected constraints of a token, found another value");
}
