/**
 * Which addresses a registry may send us to. A registry that the operator configured may be
 * anywhere; one that redirects must not turn the gateway against the machine or network it runs
 * in, neither by address nor by a name that resolves there.
 */
import type { LookupAddress, LookupOptions } from "node:dns";
import { lookup } from "node:dns";
import { BlockList, isIP } from "node:net";
import { BundleError } from "../bundle-error.ts";
import { bareHost, isLoopbackAddress } from "./loopback-host.ts";

/** One list for each family: a list takes an IPv4 address for the IPv6 one that it is mapped to. */
const internal4 = subnets("ipv4", [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["224.0.0.0", 3],
]);
const internal6 = subnets("ipv6", [
  ["::", 96],
  ["::ffff:0:0", 96],
  ["64:ff9b::", 96],
  ["2002::", 16],
  ["fc00::", 7],
  ["fe80::", 10],
  ["ff00::", 8],
]);

/** Which addresses are in reach: all, only this machine, only the public network, or these two. */
export type Reach = "any" | "loopback" | "public" | "public_or_loopback";

/** Where a registry may redirect to: one on this machine also to this machine. */
export function redirectReach(isLoopback: boolean): Reach {
  return isLoopback ? "public_or_loopback" : "public";
}

/** True when an address literal is within reach; names are judged when they are resolved. */
export function isWithinReach(host: string, reach: Reach): boolean {
  const bare = bareHost(host);
  if (isIP(bare) === 0) return true;
  return isAddressWithin(bare, reach);
}

/** A resolver for `net.connect` that refuses names whose addresses are out of reach. */
export function guardedLookup(reach: Reach) {
  return (
    name: string,
    options: LookupOptions,
    done: (error: Error | null, address: string | LookupAddress[], family?: number) => void,
  ): void => {
    lookup(name, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return done(error, "");
      const outside = addresses.find(({ address }) => !isAddressWithin(address, reach));
      if (outside !== undefined) return done(outOfReach(name, reach), "");
      const [first] = addresses;
      if (options.all === true) return done(null, addresses);
      return done(null, first?.address ?? "", first?.family ?? 4);
    });
  };
}

/** The refusal of a host that is out of reach. */
export function outOfReach(host: string, reach: Reach): BundleError {
  const expected = reach === "loopback" ? "an address of this machine" : "a public address";
  return new BundleError(
    "bundle_redirect_refused",
    `expected ${expected} behind "${host.slice(0, 260)}", found another; the connection is not made`,
  );
}

function isAddressWithin(address: string, reach: Reach): boolean {
  switch (reach) {
    case "any":
      return true;
    case "loopback":
      return isLoopbackAddress(address);
    case "public":
      return !isInternal(address);
    case "public_or_loopback":
      return !isInternal(address) || isLoopbackAddress(address);
  }
}

function isInternal(address: string): boolean {
  return isIP(address) === 6 ? internal6.check(address, "ipv6") : internal4.check(address);
}

function subnets(
  family: "ipv4" | "ipv6",
  nets: readonly (readonly [net: string, prefix: number])[],
): BlockList {
  const list = new BlockList();
  for (const [net, prefix] of nets) list.addSubnet(net, prefix, family);
  return list;
}
