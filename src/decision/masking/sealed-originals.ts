/**
 * What a record hides, sealed beside it for whoever holds the unmask key (AES-256-GCM, bound to the
 * record's id). Without the key nothing of it can be had.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { isRecord } from "../../contract/json.ts";
import { pointerNames } from "../../contract/log-mask.ts";
import { DecisionError } from "../decision-error.ts";

type Members = Readonly<Record<string, unknown>>;

/** Hidden values and names. */
export interface Originals {
  /** JSON text by pointer into the record as it is kept. */
  readonly values: ReadonlyMap<string, string>;
  /** Names of members by what stands for them. */
  readonly names: ReadonlyMap<string, string>;
}

const algorithm = "aes-256-gcm";
const nonceBytes = 12;
const tagBytes = 16;

/** The member `sealed` of a record. */
export function sealOriginals(
  { values, names }: Originals,
  key: Uint8Array,
  record: string,
): Members {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(record));
  const text = JSON.stringify({ values: [...values], names: [...names] });
  const sealed = Buffer.concat([
    nonce,
    cipher.update(text, "utf8"),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  return { alg: "A256GCM", key_id: keyIdOf(key), box: sealed.toString("base64") };
}

/**
 * A record with its originals back in their places; as it is where it hides nothing.
 *
 * @throws DecisionError `unmask_refused` where this key does not open it, or nothing was kept
 */
export function unmaskRecord(record: Members, key: Uint8Array): Members {
  const { sealed, masked, erased, ...others } = record;
  if (masked === undefined && erased === undefined) return record;
  if (!isRecord(sealed)) {
    const message = "expected originals sealed beside the record, found none; they are not kept";
    throw new DecisionError("unmask_refused", message);
  }
  const { values, names } = openSealed(
    sealed,
    key,
    sealBinding(String(record["kind"]), String(record["decision_id"])),
  );
  let whole: unknown = others;
  for (const [pointer, text] of values) {
    whole = putAt(whole, pointerNames(pointer), JSON.parse(text));
  }
  const named = withNames(whole, names);
  return isRecord(named) ? named : others;
}

/** What a seal is bound to: a decision has two records. */
export function sealBinding(kind: string, decisionId: string): string {
  return `${kind} ${decisionId}`;
}

function openSealed(sealed: Members, key: Uint8Array, recordId: string): Originals {
  const bytes = Buffer.from(String(sealed["box"]), "base64");
  try {
    const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes))
      .setAAD(Buffer.from(recordId))
      .setAuthTag(bytes.subarray(-tagBytes));
    const text = decipher.update(bytes.subarray(nonceBytes, -tagBytes), undefined, "utf8");
    const found: unknown = JSON.parse(text + decipher.final("utf8"));
    if (!isRecord(found)) throw new TypeError("expected an object");
    return { values: pairsOf(found["values"]), names: pairsOf(found["names"]) };
  } catch (cause) {
    const expected = `expected the key ${String(sealed["key_id"])} that sealed the record`;
    const message = `${expected}, found ${keyIdOf(key)} in decisions.masking.unmask_key, which does not open it`;
    throw new DecisionError("unmask_refused", message, { cause });
  }
}

/** Tells keys apart, and nothing else about them. */
function keyIdOf(key: Uint8Array): string {
  return createHash("sha256").update("mcp-gateway unmask\0").update(key).digest("hex").slice(0, 8);
}

function pairsOf(value: unknown): ReadonlyMap<string, string> {
  const pairs = Array.isArray(value) ? value : [];
  return new Map(
    pairs.flatMap((pair: unknown): readonly (readonly [string, string])[] =>
      Array.isArray(pair) ? [[String(pair[0]), String(pair[1])]] : [],
    ),
  );
}

function putAt(target: unknown, path: readonly string[], value: unknown): unknown {
  const [name, ...below] = path;
  if (name === undefined) return value;
  if (Array.isArray(target)) {
    return target.map((item: unknown, index) =>
      String(index) === name ? putAt(item, below, value) : item,
    );
  }
  if (!isRecord(target)) return target;
  const member = Object.hasOwn(target, name) ? target[name] : undefined;
  // What was removed has its object still; `__proto__` is a name like any other.
  const members = new Map([...Object.entries(target), [name, putAt(member, below, value)]]);
  return Object.fromEntries(members);
}

function withNames(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (names.size === 0) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => withNames(item, names));
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).map(([name, member]) => [
    names.get(name) ?? name,
    withNames(member, names),
  ]);
  return Object.fromEntries(entries);
}
