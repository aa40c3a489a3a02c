/**
 * `net.cidr_is_valid`, `net.cidr_expand`, `net.cidr_merge` and `net.cidr_contains_matches`.
 */
import type { OpaValue } from "../opa-value.ts";
import type { Builtin, BuiltinGroup } from "./builtin.ts";
import { holds, lastOf, networkOf, printAddress, readAddress, readNetwork } from "./ip-network.ts";
import type { IpAddress, IpNetwork } from "./ip-network.ts";
import { mergeNetworks } from "./merge-networks.ts";
import { ofTexts, textOf, textsOf } from "./operands.ts";
import { writeArray, writeSet, writeText, writeValue } from "./values.ts";

/** A network or address in an operand, and what it is named in the answer. */
interface Entry {
  readonly text: string;
  readonly name: string;
}

/** More addresses, or pairs, do not fit a policy's memory. */
const maxAnswers = 1_000_000;

const isValid: Builtin = ([operand]) => String(readNetwork(textOf(operand) ?? "") !== undefined);

const expand = ofTexts((text: string) => {
  const network = readNetwork(text);
  if (network === undefined) return undefined;
  const { first } = network;
  const count = lastOf(network).value - first.value + 1n;
  if (count > maxAnswers) throw tooMany("addresses", "net.cidr_expand");
  const addresses = Array.from({ length: Number(count) }, (_, place) =>
    writeText(printAddress({ ...first, value: first.value + BigInt(place) })),
  );
  return writeSet(addresses);
});

const merge: Builtin = ([operand]) => {
  const texts = textsOf(operand);
  const merged = texts === undefined ? undefined : mergeNetworks(texts);
  return merged && writeSet(merged.map(writeText));
};

const containsMatches: Builtin = ([outer, inner]) => {
  const [networks, members] = [entriesOf(outer), entriesOf(inner)];
  if (networks === undefined || members === undefined) return undefined;
  const inside = members.map(({ text, name }) => ({ network: readInner(text), name }));
  const pairs: string[] = [];
  for (const { text, name } of networks) {
    // Nothing is compared, and so nothing is wrong, where one side has no entries.
    if (inside.length === 0) break;
    const network = readNetwork(text);
    if (network === undefined) return undefined;
    for (const member of inside) {
      if (member.network === undefined) return undefined;
      if (holds(network, member.network)) pairs.push(writeArray([name, member.name]));
    }
    if (pairs.length > maxAnswers) throw tooMany("pairs", "net.cidr_contains_matches");
  }
  return writeSet(pairs);
};

/** An address is the network that holds it alone. */
function readInner(text: string): IpNetwork | undefined {
  const address: IpAddress | undefined = readAddress(text);
  return address === undefined ? readNetwork(text) : networkOf(address, address.bits);
}

/** A string names itself, an element of an array its index, a member of an object its key. */
function entriesOf(operand: OpaValue | undefined): readonly Entry[] | undefined {
  switch (operand?.kind) {
    case "string":
      return [{ text: operand.value, name: writeValue(operand) }];
    case "array":
      return allEntries(operand.items, (_, place) => String(place));
    case "set":
      return allEntries(operand.items, writeValue);
    case "object": {
      const keys = operand.members.map(([key]) => writeValue(key));
      return allEntries(
        operand.members.map(([, value]) => value),
        (_, place) => keys[place] ?? "",
      );
    }
    case "null":
    case "boolean":
    case "number":
    case undefined:
      return [];
  }
}

function allEntries(
  values: readonly OpaValue[],
  nameOf: (value: OpaValue, place: number) => string,
): readonly Entry[] | undefined {
  const entries = values.flatMap((value, place) => {
    // A list has the network first and then whatever its author wants to find with it.
    const text = textOf(value.kind === "array" ? value.items[0] : value);
    return text === undefined ? [] : [{ text, name: nameOf(value, place) }];
  });
  return entries.length === values.length ? entries : undefined;
}

function tooMany(what: string, builtin: string): Error {
  return new Error(`expected at most ${maxAnswers} ${what} of ${builtin}, found more`);
}

export const netBuiltins: BuiltinGroup = {
  "net.cidr_contains_matches": containsMatches,
  "net.cidr_expand": expand,
  "net.cidr_is_valid": isValid,
  "net.cidr_merge": merge,
};
