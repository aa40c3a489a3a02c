/**
 * Reads DER, the encoding of certificates and keys: definite lengths in their shortest form and
 * tags of one byte, as Go's own reader demands. What is none throws.
 */

export interface DerValue {
  /** Class, form and number in one byte: 0x30 is a sequence. */
  readonly tag: number;
  /** The value with its tag and length. */
  readonly raw: Buffer;
  readonly content: Buffer;
}

/** Takes values from a run of them, one after the other. */
export interface DerReader {
  readonly isEmpty: () => boolean;
  /** The next tag; undefined at the end. */
  readonly peek: () => number | undefined;
  /** The next value, of a certain tag where one is given. */
  readonly next: (tag?: number) => DerValue;
}

export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

const longForm = 0x80;
const manyByteTag = 0x1f;

/** Reads the values that lie in `bytes`. */
export function readDer(bytes: Buffer): DerReader {
  let offset = 0;
  return {
    isEmpty: () => offset >= bytes.length,
    peek: () => bytes[offset],
    next: (tag) => {
      const value = readValue(bytes.subarray(offset));
      if (tag !== undefined && value.tag !== tag) throw malformed();
      offset += value.raw.length;
      return value;
    },
  };
}

/** The values inside a constructed one. */
export function readInside(value: DerValue): DerReader {
  return readDer(value.content);
}

/** All values inside a constructed one. */
export function allInside(value: DerValue): readonly DerValue[] {
  const reader = readInside(value);
  const values: DerValue[] = [];
  while (!reader.isEmpty()) values.push(reader.next());
  return values;
}

/** A signed integer of any size in its shortest form. */
export function integerOf({ content }: DerValue): bigint {
  const [first = 0, second = 0] = content;
  const isPadded = (first === 0 && second < 0x80) || (first === 0xff && second >= 0x80);
  if (content.length === 0 || (content.length > 1 && isPadded)) throw malformed();
  return BigInt.asIntN(content.length * 8, BigInt(`0x${content.toString("hex")}`));
}

export function booleanOf({ content }: DerValue): boolean {
  const [byte] = content;
  if (content.length !== 1 || (byte !== 0 && byte !== 0xff)) throw malformed();
  return byte !== 0;
}

/** The numbers of an object identifier, `1.2.840.113549.1.1.11`. */
export function identifierOf({ content }: DerValue): string {
  const numbers: bigint[] = [];
  let number = 0n;
  let isOpen = false;
  for (const byte of content) {
    if (!isOpen && byte === longForm) throw malformed();
    number = (number << 7n) | BigInt(byte & 0x7f);
    isOpen = byte >= longForm;
    if (isOpen) continue;
    numbers.push(number);
    number = 0n;
  }
  const [first, ...others] = numbers;
  if (isOpen || first === undefined) throw malformed();
  const top = first < 80n ? first / 40n : 2n;
  return [top, first - top * 40n, ...others].join(".");
}

/** The bytes of a bit string, and how many bits of the last are not part of it. */
export function bitsOf({ content }: DerValue): { bytes: Buffer; unused: number } {
  const [unused = 8] = content;
  if (unused > 7 || (content.length === 1 && unused > 0)) throw malformed();
  return { bytes: content.subarray(1), unused };
}

/** Milliseconds since the epoch of a `UTCTime` or `GeneralizedTime` in the form of certificates. */
export function timeOf({ tag, content }: DerValue): number {
  const text = content.toString("latin1");
  const digits =
    tag === derTag.utcTime ? `${Number(text.slice(0, 2)) < 50 ? "20" : "19"}${text}` : text;
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits) ?? [];
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const timeMs = Date.parse(`${iso}Z`);
  if (Number.isNaN(timeMs) || !new Date(timeMs).toISOString().startsWith(iso)) throw malformed();
  return timeMs;
}

function readValue(bytes: Buffer): DerValue {
  const [tag, first] = bytes;
  if (tag === undefined || first === undefined || (tag & manyByteTag) === manyByteTag) {
    throw malformed();
  }
  const lengthBytes = first < longForm ? 0 : first - longForm;
  const length = lengthBytes === 0 ? first : longLength(bytes.subarray(2, 2 + lengthBytes));
  const start = 2 + lengthBytes;
  if (first === longForm || bytes.length < start + length) throw malformed();
  return {
    tag,
    raw: bytes.subarray(0, start + length),
    content: bytes.subarray(start, start + length),
  };
}

function longLength(bytes: Buffer): number {
  if (bytes.length === 0 || bytes.length > 4 || bytes[0] === 0) throw malformed();
  const length = bytes.readUIntBE(0, bytes.length);
  if (length < longForm) throw malformed();
  return length;
}

function malformed(): Error {
  return new Error("expected der, found other bytes");
}
