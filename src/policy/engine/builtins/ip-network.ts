/**
 * IP addresses and networks as Go's `net.ParseIP` and `net.ParseCIDR` read and print them. An IPv6
 * address that stands for an IPv4 one is that one.
 */

export interface IpAddress {
  readonly value: bigint;
  readonly bits: 32 | 128;
}

/** A network with the first of its addresses. */
export interface IpNetwork {
  readonly first: IpAddress;
  readonly prefix: number;
}

const ipv4Part = /^(?:0|[1-9]\d{0,2})$/;
const mappedPrefix = 0xffffn;

/** Undefined for text that is no address; an IPv6 address with a zone is none. */
export function readAddress(text: string): IpAddress | undefined {
  return text.includes(":") ? unmapped(readIpv6(text)) : readIpv4(text);
}

/** `address/prefix`; undefined for other text. Bits behind the prefix are dropped. */
export function readNetwork(text: string): IpNetwork | undefined {
  const [, host = "", digits = ""] = /^([^/]*)\/(\d+)$/.exec(text) ?? [];
  const address = host.includes(":") ? readIpv6(host) : readIpv4(host);
  const prefix = Number(digits);
  if (address === undefined || digits === "" || prefix > address.bits) return undefined;
  return networkOf(address, prefix);
}

/** The network of a prefix's length that an address lies in. */
export function networkOf(address: IpAddress, prefix: number): IpNetwork {
  const { bits } = address;
  const hostBits = BigInt(bits - prefix);
  const first = { value: (address.value >> hostBits) << hostBits, bits };
  const plain = unmapped(first) ?? first;
  return { first: plain, prefix: prefix - (bits - plain.bits) };
}

/** The last address of a network. */
export function lastOf({ first, prefix }: IpNetwork): IpAddress {
  const hosts = (1n << BigInt(first.bits - prefix)) - 1n;
  return { ...first, value: first.value | hosts };
}

/** True where the network holds both addresses, the first and the last of another. */
export function holds(network: IpNetwork, inner: IpNetwork): boolean {
  const { first, prefix } = network;
  if (inner.first.bits !== first.bits || inner.prefix < prefix) return false;
  return networkOf(inner.first, prefix).first.value === first.value;
}

/** IPv4 with points; IPv6 as RFC 5952 has it. */
export function printAddress({ value, bits }: IpAddress): string {
  if (bits === 32) {
    return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join(".");
  }
  const groups = Array.from({ length: 8 }, (_, place) =>
    ((value >> BigInt(112 - 16 * place)) & 0xffffn).toString(16),
  );
  return shorten(groups);
}

/** The longest run of at least two zeros, the first of equals, is `::`. */
function shorten(groups: readonly string[]): string {
  let [start, length] = [0, 1];
  for (let from = 0; from < groups.length; from += 1) {
    let to = from;
    while (groups[to] === "0") to += 1;
    if (to - from > length) [start, length] = [from, to - from];
  }
  if (length < 2) return groups.join(":");
  return `${groups.slice(0, start).join(":")}::${groups.slice(start + length).join(":")}`;
}

function readIpv4(text: string): IpAddress | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => ipv4Part.test(part) && Number(part) < 256)) {
    return undefined;
  }
  return { value: parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n), bits: 32 };
}

function readIpv6(text: string): IpAddress | undefined {
  const [, front = text, dotted] = /^(.*:)([\d.]*\.[\d.]*)$/.exec(text) ?? [];
  const ipv4 = dotted === undefined ? undefined : readIpv4(dotted);
  if (dotted !== undefined && ipv4 === undefined) return undefined;
  const [head, tail, ...more] = (front + wordsOf(ipv4)).split("::").map(groupsOf);
  return head === undefined || more.length > 0 ? undefined : assemble(head, tail);
}

function groupsOf(half: string): readonly string[] {
  return half === "" ? [] : half.split(":");
}

function wordsOf(address: IpAddress | undefined): string {
  if (address === undefined) return "";
  const { value } = address;
  return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
}

function assemble(
  head: readonly string[],
  tail: readonly string[] | undefined,
): IpAddress | undefined {
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => "0"), ...(tail ?? [])];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return { value: groups.reduce((all, word) => (all << 16n) | BigInt(`0x${word}`), 0n), bits: 128 };
}

function unmapped(address: IpAddress | undefined): IpAddress | undefined {
  if (address?.bits !== 128 || address.value >> 32n !== mappedPrefix) return address;
  return { value: address.value & 0xffff_ffffn, bits: 32 };
}
