/**
 * Builtins of networks and URLs beside OPA's own evaluator, on calls that are made up.
 */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { call, compareWithOpa, join, one, quoted, sorted, text } from "./made-up-calls.ts";

const network = one(
  "10.0.0.0/8",
  "10.1.2.3/16",
  "10.0.0.0/30",
  "10.0.0.4/30",
  "10.0.0.0/32",
  "192.168.1.1",
  "224.0.0.1",
  "0.0.0.0/0",
  "255.255.255.254/31",
  "::1/128",
  "2001:db8::/32",
  "2001:db8:0:0:1::/80",
  "::ffff:10.0.0.1/104",
  "::ffff:10.0.0.1/90",
  "::ffff:1.2.3.4",
  "fe80::1%eth0",
  "fe80::1",
  "1:2:3:4:5:6:7::",
  "1:2:3:4:5:6:7:8/127",
  "::1.2.3.4/126",
  "1.2.3/24",
  "01.2.3.4/24",
  "1.2.3.4/33",
  "1.2.3.4/024",
  "1.2.3.4/",
  "1.2.3.4/-1",
  "1.2.3.256",
  "",
  ":::",
  "1::2::3",
);
const networks = quoted(network);
const list = fc.array(network, { maxLength: 4 });
const lists = fc.oneof(
  list.map(text),
  list.map((all) => (all.length === 0 ? "set()" : `{${all.map(text).join(", ")}}`)),
  list.map((all) => text(all.map((each, place) => [each, place]))),
  list.map((all) => text(Object.fromEntries(all.map((each, place) => [`k${place}`, each])))),
  networks,
);
const small = quoted(
  one(
    "10.0.0.0/30",
    "10.0.0.7/29",
    "2001:db8::/126",
    "::ffff:1.2.3.4/127",
    "1.2.3.4",
    "255.255.255.254/31",
    "1.2.3.4/32",
    "::/127",
  ),
);
/** OPA crashes on ranges of IPv6 that begin at its very start. */
const mergeable = network.filter((each) => !/^::[^f]|^::ffff:.*[/]90|^0[.]/.test(each));
const merges = fc.oneof(
  sorted("net.cidr_merge", fc.array(mergeable, { minLength: 1, maxLength: 2 }).map(text)),
  sorted(
    "net.cidr_merge",
    fc
      .array(
        one(
          "10.0.0.0/24",
          "10.0.1.0/24",
          "10.0.2.0/23",
          "10.0.3.0/25",
          "10.0.0.0/8",
          "11.0.0.0/8",
          "192.168.1.5",
          "2001:db8::/33",
          "2001:db8:8000::/33",
          "172.16.0.7",
        ),
        { maxLength: 5 },
      )
      .map(text),
  ),
);
const nets = fc.oneof(
  call("net.cidr_is_valid", networks),
  sorted("net.cidr_expand", small),
  sorted("net.cidr_contains_matches", lists, lists),
  sorted(
    "net.cidr_contains_matches",
    one(
      '["10.0.0.0/8", "1.2.3.4/32", "2001:db8::/32", "::/0"]',
      '{"a": "0.0.0.0/0", "b": ["10.1.0.0/16", 1]}',
    ),
    one(
      '["10.1.2.3", "10.1.0.0/24", "1.2.3.4", "2001:db8::1", "::ffff:10.1.1.1"]',
      '{"10.0.0.0/9", "2001:db8::/31"}',
    ),
  ),
);

const url = join(
  one(
    "http://",
    "https://",
    "HTTP://",
    "postgres://",
    "mailto:",
    "//",
    "/",
    "",
    "a:b",
    ":",
    "1a:",
    "///",
  ),
  one(
    "",
    "example.com",
    "u:p@h:80",
    "[::1]:8080",
    "[fe80::1%25en0]",
    "[1.2.3.4]",
    "h:",
    "h:x",
    "a%41",
    "é.com",
    "h%C3%A9",
    "a b",
    "h:1:2",
    "@",
    "u%zz@h",
    "[::1",
  ),
  one("", "/", "/a%20b", "/a!b", "/a%zz", "a:b", "/*", "/é", "//x", "/a[1]"),
  one("", "?", "?a=b&c", "??", "?a?b"),
  one("", "", "#f", "#%41", "#%zz", "#a b"),
);
const urls = fc.oneof(call("uri.parse", quoted(url)), call("uri.is_valid", quoted(url)));

it.each([
  ["net", nets, 300, 100],
  ["net.cidr_merge", merges, 150, 50],
  ["uri", urls, 500, 200],
] as const)(
  "%s: what opa says",
  async (_, calls, count, defined) => {
    const compared = await compareWithOpa(calls, count, defined);
    expect(compared).toEqual({ different: [], isEnough: true });
  },
  180_000,
);
