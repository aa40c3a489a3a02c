/**
 * The fewest networks that hold the same addresses as some others: those that touch or lie in each
 * other become one range, and a range as few networks as it can be cut into. An address without a
 * prefix stands for the network of its class, as in Go.
 */
import { lastOf, networkOf, printAddress, readAddress, readNetwork } from "./ip-network.ts";
import type { IpAddress, IpNetwork } from "./ip-network.ts";

interface Range {
  readonly bits: IpAddress["bits"];
  readonly first: bigint;
  readonly last: bigint;
  /** How the network was written; undefined for what several became. */
  readonly text: string | undefined;
}

/** Undefined where one of the texts is no network, or an IPv6 address without a prefix. */
export function mergeNetworks(texts: readonly string[]): readonly string[] | undefined {
  const ranges = texts.flatMap((text) => readRange(text) ?? []);
  if (ranges.length !== texts.length) return undefined;
  const merged: Range[] = [];
  for (const range of ranges.toSorted(compareRanges)) {
    const before = merged.at(-1);
    if (before !== undefined && touches(before, range)) merged.splice(-1, 1, join(before, range));
    else merged.push(range);
  }
  return merged.flatMap((range) => (range.text === undefined ? cut(range) : [range.text]));
}

function readRange(text: string): Range | undefined {
  const address = readAddress(text);
  if (address === undefined) {
    const network = readNetwork(text);
    return network && rangeOf(network, printAddress(network.first));
  }
  if (address.bits !== 32) return undefined;
  return rangeOf(networkOf(address, classPrefix(address)), printAddress(address));
}

function rangeOf(network: IpNetwork, address: string): Range {
  const { first, prefix } = network;
  const text = `${address}/${prefix}`;
  return { bits: first.bits, first: first.value, last: lastOf(network).value, text };
}

function classPrefix({ value }: IpAddress): number {
  const top = value >> 24n;
  if (top < 0x80n) return 8;
  return top < 0xc0n ? 16 : 24;
}

function compareRanges(left: Range, right: Range): number {
  if (left.bits !== right.bits) return left.bits - right.bits;
  if (left.first !== right.first) return left.first < right.first ? -1 : 1;
  return left.last === right.last ? 0 : left.last < right.last ? -1 : 1;
}

function touches(left: Range, right: Range): boolean {
  return left.bits === right.bits && right.first <= left.last + 1n;
}

function join(left: Range, right: Range): Range {
  return { ...left, last: left.last > right.last ? left.last : right.last, text: undefined };
}

/** From the first address on, the largest network that begins there and does not reach too far. */
function cut({ bits, first, last }: Range): readonly string[] {
  const networks: string[] = [];
  for (let at = first; at <= last;) {
    let hostBits = 0n;
    while (hostBits < bits && isNetwork(at, hostBits + 1n, last)) hostBits += 1n;
    networks.push(`${printAddress({ value: at, bits })}/${bits - Number(hostBits)}`);
    at += 1n << hostBits;
  }
  return networks;
}

function isNetwork(first: bigint, hostBits: bigint, last: bigint): boolean {
  const size = 1n << hostBits;
  return first % size === 0n && first + size - 1n <= last;
}
