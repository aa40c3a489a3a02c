/**
 * Which hosts an upstream server's metadata may send the gateway to. The hosts that the operator
 * named may be anywhere; any other has to be public, or in the same kind of network as an address
 * that the operator named, so that a hostile server cannot turn the gateway against the machine or
 * the network it runs in. Names are judged by the addresses that they resolve to.
 */
import { BlockList, isIP } from "node:net";

type Network = "loopback" | "private" | "link_local" | "reserved" | "public";

const networks: readonly (readonly [Exclude<Network, "public">, BlockList, BlockList])[] = [
  ["loopback", subnets("ipv4", ["127.0.0.0/8"]), subnets("ipv6", ["::1/128"])],
  [
    "private",
    subnets("ipv4", ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"]),
    subnets("ipv6", ["fc00::/7"]),
  ],
  ["link_local", subnets("ipv4", ["169.254.0.0/16"]), subnets("ipv6", ["fe80::/10"])],
  [
    "reserved",
    subnets("ipv4", ["0.0.0.0/8", "192.0.0.0/24", "198.18.0.0/15", "224.0.0.0/3"]),
    subnets("ipv6", [
      "::/96",
      "::ffff:0:0/96",
      "64:ff9b::/96",
      "2002::/16",
      "fec0::/10",
      "ff00::/8",
    ]),
  ],
];

/** True where an address may be connected to for a host, both without brackets and port. */
export type AddressReach = (host: string, address: string) => boolean;

/** The reach of a server whose operator named these URLs. */
export function createAddressReach(namedUrls: readonly string[]): AddressReach {
  const named = new Set(namedUrls.map((url) => bareHost(new URL(url))));
  const kinds = new Set([...named].flatMap((host) => networkOfHost(host) ?? []));
  return (host, address) => {
    const network = networkOf(address);
    if (isLoopbackName(host)) return network === "loopback" && kinds.has("loopback");
    return named.has(host) || network === "public" || kinds.has(network);
  };
}

/** The host of a URL, without port and brackets. */
export function bareHost(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, "$1");
}

/** True for `localhost`, names below it, and loopback addresses. */
export function isLoopbackHost(host: string): boolean {
  return isLoopbackName(host) || (isIP(host) !== 0 && networkOf(host) === "loopback");
}

function isLoopbackName(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost");
}

/** A name says nothing about its network, `localhost` apart. */
function networkOfHost(host: string): Network | undefined {
  if (isLoopbackName(host)) return "loopback";
  return isIP(host) === 0 ? undefined : networkOf(host);
}

function networkOf(address: string): Network {
  const six = isIP(address) === 6;
  const found = networks.find(([, list4, list6]) =>
    six ? list6.check(address, "ipv6") : list4.check(address, "ipv4"),
  );
  return found?.[0] ?? "public";
}

function subnets(family: "ipv4" | "ipv6", nets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const net of nets) {
    const [address = "", prefix] = net.split("/");
    list.addSubnet(address, Number(prefix), family);
  }
  return list;
}
