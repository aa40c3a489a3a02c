/**
 * `uuid.parse`: what a UUID says about itself. Versions 1 and 2 tell when and where they were made.
 */
import type { BuiltinGroup } from "./builtin.ts";
import { ofTexts } from "./operands.ts";
import { writeObject, writeText } from "./values.ts";

const grouped = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** 100 ns steps from the start of the Gregorian calendar to 1970. */
const epochSteps = 0x01b21dd213814000n;
const nsPerStep = 100n;
const domains = ["Person", "Group", "Org"];

const parse = ofTexts((text: string) => {
  const bytes = readUuid(text);
  if (bytes === undefined) return undefined;
  const version = bytes.readUInt8(6) >> 4;
  const members: [string, string][] = [
    ["version", String(version)],
    ["variant", writeText(variantOf(bytes.readUInt8(8)))],
  ];
  if (version === 1 || version === 2) members.push(...originOf(bytes));
  if (version === 2) {
    const domain = bytes.readUInt8(9);
    members.push(["id", String(bytes.readUInt32BE(0))]);
    members.push(["domain", writeText(domains[domain] ?? `Domain${domain}`)]);
  }
  return writeObject(members.map(([name, value]) => [writeText(name), value]));
});

/** Plain, as a URN, in any two characters such as braces, or of digits alone. */
function readUuid(text: string): Buffer | undefined {
  const plain = unwrap(text);
  if (plain === undefined) return undefined;
  return Buffer.from(plain.replaceAll("-", ""), "hex");
}

function unwrap(text: string): string | undefined {
  if (/^[0-9a-f]{32}$/i.test(text)) return text;
  const inside = text.length === 38 ? text.slice(1, -1) : text.replace(/^urn:uuid:(?=.{36}$)/i, "");
  return grouped.test(inside) ? inside : undefined;
}

function variantOf(byte: number): string {
  if ((byte & 0xc0) === 0x80) return "RFC4122";
  if ((byte & 0xe0) === 0xc0) return "Microsoft";
  return (byte & 0xe0) === 0xe0 ? "Future" : "Reserved";
}

function originOf(bytes: Buffer): readonly [string, string][] {
  const high = BigInt(bytes.readUInt16BE(6) & 0x0fff) << 48n;
  const steps = high | (BigInt(bytes.readUInt16BE(4)) << 32n) | BigInt(bytes.readUInt32BE(0));
  const node = [...bytes.subarray(10)].map((byte) => byte.toString(16).padStart(2, "0"));
  return [
    // Wrapped around as in Go, where a moment has 64 bits.
    ["time", String(BigInt.asIntN(64, (steps - epochSteps) * nsPerStep))],
    ["nodeid", writeText(node.join("-"))],
    ["macvariables", writeText(addressKind(bytes.readUInt8(10)))],
    ["clocksequence", String(bytes.readUInt16BE(8) & 0x3fff)],
  ];
}

function addressKind(byte: number): string {
  const scope = (byte & 2) === 2 ? "local" : "global";
  return `${scope}:${(byte & 1) === 1 ? "multicast" : "unicast"}`;
}

export const uuidBuiltins: BuiltinGroup = { "uuid.parse": parse };
