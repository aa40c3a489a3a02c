/**
 * Is a certificate for a host, and may an authority name what a certificate below it names: the
 * rules of RFC 5280 and RFC 6125 as Go applies them.
 */
import { isIP } from "node:net";
import type { Certificate } from "./x509-certificate.ts";
import { ipText } from "./x509-general-names.ts";
import type { NameConstraints, NameSubtrees, SubjectNames } from "./x509-general-names.ts";

type IsWithin = (name: string, constraint: string) => boolean;

const label = /^[A-Za-z0-9_](?:[A-Za-z0-9_-])*$/;

/** True where one of the certificate's alternative names is the host; its common name never is. */
export function isForHost({ fields: { names } }: Certificate, host: string): boolean {
  const address = /^\[(.+)\]$/.exec(host)?.[1] ?? host;
  if (isIP(address) !== 0) return names.ips.some((ip) => ipText(ip) === canonicalIp(address));
  const wanted = host.toLowerCase();
  return names.dns.some((name) =>
    isHostname(wanted.replace(/\.$/, "")) && isHostname(name.replace(/^\*\./, "x."))
      ? matchesPattern(name.toLowerCase(), wanted.replace(/\.$/, ""))
      : wanted !== "" && wanted !== "." && name.toLowerCase() === wanted,
  );
}

/** True where the constraints allow all names. */
export function areNamesAllowed(constraints: NameConstraints, names: SubjectNames): boolean {
  const { permitted, excluded } = constraints;
  /** A kind of name may be used where nothing is said of it, or where it is permitted. */
  const areAllowed = (
    kind: "dns" | "emails" | "uris",
    values: readonly string[],
    within: IsWithin,
  ) =>
    values.every(
      (value) =>
        (permitted[kind].length === 0 || permitted[kind].some((one) => within(value, one))) &&
        !excluded[kind].some((one) => within(value, one) || isBelowWildcard(value, one)),
    );
  return (
    areAllowed("dns", names.dns, isWithinDomain) &&
    areAllowed("emails", names.emails, isWithinMail) &&
    areAllowed("uris", names.uris.map(uriHost), isWithinDomain) &&
    areIpsAllowed(constraints, names.ips)
  );
}

function areIpsAllowed({ permitted, excluded }: NameConstraints, ips: readonly Buffer[]): boolean {
  return ips.every(
    (address) =>
      (permitted.ips.length === 0 ||
        permitted.ips.some((range) => isWithinRange(address, range))) &&
      !excluded.ips.some((range) => isWithinRange(address, range)),
  );
}

function isWithinRange(address: Buffer, { ip, mask }: NameSubtrees["ips"][number]): boolean {
  if (address.length !== ip.length) return false;
  return address.every((byte, index) => ((byte ^ (ip[index] ?? 0)) & (mask[index] ?? 0)) === 0);
}

/** The domain or one below it; only one below where the constraint begins with a dot. */
function isWithinDomain(name: string, constraint: string): boolean {
  const [ours, theirs] = [name.toLowerCase(), constraint.toLowerCase()];
  if (theirs === "") return true;
  if (theirs.startsWith(".")) return ours.endsWith(theirs) && ours !== theirs;
  return ours === theirs || ours.endsWith(`.${theirs}`);
}

/** `*.example.com` stands for a name that is excluded. */
function isBelowWildcard(name: string, constraint: string): boolean {
  const parent = constraint.toLowerCase().replace(/^[^.]*/, "");
  return name.startsWith("*") && parent !== "" && name.slice(1).toLowerCase() === parent;
}

function isWithinMail(address: string, constraint: string): boolean {
  const at = address.lastIndexOf("@");
  const [local, domain] = [address.slice(0, at), address.slice(at + 1).toLowerCase()];
  if (!constraint.includes("@")) return isWithinDomain(domain, constraint);
  const split = constraint.lastIndexOf("@");
  return (
    local === constraint.slice(0, split) && domain === constraint.slice(split + 1).toLowerCase()
  );
}

/** The host of a URI; one without a host, or with an address, is within nothing. */
function uriHost(uri: string): string {
  const host = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#]*@)?([^/?#]*)/i.exec(uri)?.[1] ?? "";
  const name = host.replace(/:\d*$/, "").toLowerCase();
  if (name === "" || name.startsWith("[") || isIP(name) !== 0) {
    throw new Error("expected a uri with a host name, found another");
  }
  return name;
}

function isHostname(host: string): boolean {
  return host !== "" && host.split(".").every((part) => label.test(part));
}

function matchesPattern(pattern: string, host: string): boolean {
  const [ours, theirs] = [pattern.split("."), host.split(".")];
  return (
    ours.length === theirs.length &&
    ours.every((part, index) => (index === 0 && part === "*") || part === theirs[index])
  );
}

function canonicalIp(address: string): string {
  if (isIP(address) === 4) return address;
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(text);
  if (mapped === null) return text;
  const hex = mapped
    .slice(1)
    .map((group) => group.padStart(4, "0"))
    .join("");
  return ipText(Buffer.from(hex, "hex"));
}
