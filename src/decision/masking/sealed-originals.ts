/**
 * Opens what a record hides for whoever has the private key of somebody it was sealed to, and puts it
 * back in its place. Without such a key nothing of it can be had, and the gateway has none.
 */
import { createDecipheriv } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { isRecord } from "../../contract/json.ts";
import { pointerNames } from "../../contract/log-mask.ts";
import { DecisionError } from "../decision-error.ts";
import { openBase, tagBytes } from "./hpke.ts";
import {
  boxCipher,
  boxNonceBytes,
  contentKeyContext,
  sealAlgorithm,
  sealBinding,
} from "./originals-seal.ts";
import type { Originals } from "./originals-seal.ts";
import { unmaskKeyId } from "./unmask-keys.ts";

type Members = Readonly<Record<string, unknown>>;

/**
 * A record with its originals back in their places; as it is where it hides nothing.
 *
 * @throws DecisionError `unmask_refused` where this key does not open it, or nothing was kept
 */
export function unmaskRecord(record: Members, key: KeyObject): Members {
  const { sealed, masked, erased, ...others } = record;
  if (masked === undefined && erased === undefined) return record;
  if (!isRecord(sealed)) {
    throw refused("originals sealed beside the record, found none; they are not kept");
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

function openSealed(sealed: Members, key: KeyObject, binding: string): Originals {
  if (sealed["alg"] !== sealAlgorithm) {
    throw refused(
      `a seal of the form ${sealAlgorithm}, found another, which this version cannot open`,
    );
  }
  const entries = Array.isArray(sealed["to"]) ? sealed["to"].filter(isRecord) : [];
  const own = entries.find((entry) => entry["key_id"] === unmaskKeyId(key));
  if (own === undefined) throw notFor(entries, key);
  try {
    const message = { enc: bytesOf(own["enc"]), sealed: bytesOf(own["key"]) };
    const contentKey = openBase(key, contentKeyContext, message);
    return openBox(bytesOf(sealed["box"]), contentKey, binding);
  } catch (cause) {
    const message =
      'originals as they were sealed for this record, found others; look for changes with "audit verify"';
    throw refused(message, cause);
  }
}

function openBox(box: Buffer, contentKey: Buffer, binding: string): Originals {
  const nonce = box.subarray(0, boxNonceBytes);
  const decipher = createDecipheriv(boxCipher, contentKey, nonce, { authTagLength: tagBytes })
    .setAAD(Buffer.from(binding))
    .setAuthTag(box.subarray(-tagBytes));
  const text = decipher.update(box.subarray(boxNonceBytes, -tagBytes), undefined, "utf8");
  const found: unknown = JSON.parse(text + decipher.final("utf8"));
  if (!isRecord(found)) throw new TypeError("expected an object");
  return { values: pairsOf(found["values"]), names: pairsOf(found["names"]) };
}

function notFor(entries: readonly Members[], key: KeyObject): DecisionError {
  const ids = entries.flatMap(({ key_id: id }) => (isKeyId(id) ? [id] : []));
  const of = ids.length === 0 ? "nobody" : ids.join(", ");
  return refused(
    `the private key of one of those that the record was sealed to (${of}), found ${unmaskKeyId(key)}`,
  );
}

function isKeyId(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{1,64}$/.test(value);
}

/** Base64 in its one form, so that nothing of it can be changed unseen. */
function bytesOf(text: unknown): Buffer {
  const bytes = Buffer.from(String(text), "base64");
  if (bytes.toString("base64") === text) return bytes;
  throw new TypeError("expected base64");
}

function refused(expected: string, cause?: unknown): DecisionError {
  return new DecisionError("unmask_refused", `expected ${expected}`, { cause });
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
