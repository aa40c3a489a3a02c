/**
 * Which hosts are this machine.
 */
import { BlockList, isIP } from "node:net";

/** One list for each family: a list takes an IPv4 address for the IPv6 one that it is mapped to. */
const loopback4 = new BlockList();
loopback4.addSubnet("127.0.0.0", 8, "ipv4");
const loopback6 = new BlockList();
loopback6.addAddress("::1", "ipv6");

/** True for `localhost` and loopback addresses, with or without port. */
export function isLoopbackHost(host: string): boolean {
  const bare = bareHost(host);
  return bare === "localhost" || (isIP(bare) !== 0 && isLoopbackAddress(bare));
}

/** True for an address literal of this machine. */
export function isLoopbackAddress(address: string): boolean {
  return isIP(address) === 6 ? loopback6.check(address, "ipv6") : loopback4.check(address);
}

/** `[::1]:5000` → `::1`, `host:5000` → `host`. */
export function bareHost(host: string): string {
  return host.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}
