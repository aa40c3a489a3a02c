/**
 * Where a registry may send us for a token. Credentials go there, so a registry that could name any
 * address could collect them, or turn the gateway against the network it runs in: the realm is the
 * registry itself, a pair that everybody knows, or a host that the operator named.
 */
import { unexpected } from "../bundle-error.ts";

/** A registry as far as its token service is concerned. */
export interface RealmRules {
  /** Host as in references. */
  readonly host: string;
  /** `https://host` or `http://host`. */
  readonly origin: string;
  /** `host` or `host:port` that the operator named for this registry. */
  readonly trustedRealms: readonly string[];
  /** Reference for messages. */
  readonly where: string;
}

/** Token services that live on another host than their registry. */
const knownRealms: Readonly<Record<string, string>> = {
  "docker.io": "auth.docker.io",
  "index.docker.io": "auth.docker.io",
  "registry-1.docker.io": "auth.docker.io",
  "registry.gitlab.com": "gitlab.com",
};

/**
 * The URL to ask for a token.
 *
 * @param realm - as the challenge says
 * @throws BundleError `bundle_realm_refused`
 */
export function checkRealm(realm: string, rules: RealmRules): URL {
  const refuse = (expected: string, found: string) =>
    unexpected("bundle_realm_refused", rules.where, expected, found);
  if (!URL.canParse(realm)) throw refuse("a token realm that is a URL", "another text");
  const url = new URL(realm);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isPlain(rules))) {
    throw refuse("a token realm over https", `one over ${url.protocol.slice(0, 128)}`);
  }
  if (url.username !== "" || url.password !== "") {
    throw refuse("a token realm without credentials in it", "one that has some");
  }
  if (isTrusted(url, rules)) return url;
  throw refuse(
    `a token realm on ${rules.host}, or on a host of registries["${rules.host}"].trusted_realms`,
    `one on ${url.host.slice(0, 260)}, which gets nothing; name it there if it is right`,
  );
}

/** A registry that itself is spoken to in the clear has nothing to lose by it. */
function isPlain({ origin }: RealmRules): boolean {
  return origin.startsWith("http:");
}

function isTrusted(url: URL, { host, origin, trustedRealms }: RealmRules): boolean {
  if (url.origin === origin) return true;
  const known = Object.hasOwn(knownRealms, host) ? knownRealms[host] : undefined;
  if (known !== undefined && url.protocol === "https:" && url.host === known) return true;
  return trustedRealms.some((trusted) => trusted.toLowerCase() === url.host);
}
