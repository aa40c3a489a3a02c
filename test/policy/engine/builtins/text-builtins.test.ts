/**
 * Builtins of texts, numbers and values beside OPA's own evaluator, on calls that are made up.
 */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { call, join, one, quoted, sorted, values, compareWithOpa } from "./made-up-calls.ts";

const words = quoted(
  one("", "a", "aa", "aaa", "abab", "é😀é", "a b", "😀", "b", ".", "a.b.c", "日本"),
);
const counts = one("0", "1", "2", "3", "-1", "-2", "100", "1.0", "1e2", "9223372036854775807");
const texts = fc.oneof(
  call("indexof_n", words, words),
  call("strings.count", words, words),
  call("strings.split_n", words, words, counts),
  call("glob.quote_meta", quoted(one("", "a*b", "[a-z]{b,c}?\\", "é*"))),
  call("base64url.encode_no_pad", words),
  call("hex.encode", words),
  call("hex.decode", quoted(one("", "61", "6", "c3a9", "C3A9", "f09f9880", "zz", "6161 "))),
);

const queries = quoted(
  one(
    "",
    "a=b",
    "a=1&a=2&b",
    "=x",
    "a=%zz",
    "a=%C3%A9+x",
    "a;b=1",
    "&&",
    "a=b=c",
    "%41=%42",
    "a+b=+",
  ),
);
const encodings = fc.oneof(
  call("urlquery.encode", quoted(one("", "a b&c=d/é?~'()*!", "😀", "-._~", "+%"))),
  call("urlquery.decode", queries),
  call("urlquery.decode_object", queries),
  call(
    "urlquery.encode_object",
    one("{}", '{"b": "1", "a": ["x y", "z"]}', '{"a": {"c", "b"}}', '{"é": []}', '{"~": "&"}'),
  ),
);

const wholes = values.filter((value) => /^[[{s]/.test(value));
const subsets = call("object.subset", wholes, wholes);

const versionPart = one("0", "1", "10", "01", "99999999999999999999", "", "x", "-1");
const version = quoted(
  join(
    one("", "", "v", "V"),
    versionPart,
    one(".", ".", ""),
    versionPart,
    one(".", ".", "..", ""),
    versionPart,
    one(
      "",
      "",
      "-alpha",
      "-alpha.1",
      "-1",
      "-01",
      "-a..b",
      "-99999999999999999999",
      "-rc.10",
      "-rc.9",
    ),
    one("", "", "+build", "+", "+b.01"),
  ),
);
const goodVersion = quoted(
  join(
    one("1.0.0", "1.0.1", "2.0.0", "1.10.0"),
    one(
      "",
      "-a",
      "-a.1",
      "-a.b",
      "-1",
      "-2",
      "-11",
      "-a.1.x",
      "-99999999999999999999",
      "-99999999999999999998",
    ),
    one("", "+x"),
  ),
);
const versions = fc.oneof(
  call("semver.is_valid", version),
  call("semver.compare", goodVersion, goodVersion),
);

const amount = join(
  one("", "", "-", "+"),
  one(
    "",
    "0",
    "1",
    "10",
    "1.5",
    ".5",
    "1.",
    "100",
    "0.1",
    "1e3",
    "1E-2",
    "1e1000000",
    "12345678901234567890",
    "1e",
    "1_0",
    "0x1",
  ),
  one(
    "",
    "",
    "m",
    "M",
    "k",
    "K",
    "Ki",
    "kI",
    "KiB",
    "Mb",
    "mi",
    "MI",
    "G",
    "e",
    "E",
    "Ei",
    "eib",
    "tb",
    " K",
    "x",
    "\u0022K\u0022",
  ),
);
const units = fc.oneof(
  call("units.parse", quoted(amount)),
  call("units.parse_bytes", quoted(amount)),
);

const whole = one(
  "0",
  "1",
  "5",
  "-3",
  "10",
  "2.0",
  "1e1",
  "1.5",
  "9223372036854775807",
  "9223372036854775809",
  "30",
);
const ranges = call(
  "numbers.range_step",
  one("0", "1", "5", "-3", "10", "2.0", "1.5"),
  one("0", "1", "5", "-3", "1e1"),
  whole,
);

const edges = one(
  '{"a": ["b"], "b": ["c"], "c": ["a"]}',
  '{"a": {"b", "c"}, "b": {"d"}, "c": {"d"}, "d": set()}',
  '{"a": ["z"], "b": [], "c": []}',
  '{"a": ["a", "b"], "b": ["a"]}',
  "{1: [2, 1.0], 2: []}",
  "{}",
);
const graphs = sorted(
  "graph.reachable_paths",
  edges,
  one('["a"]', '{"a", "b"}', '["x"]', "[]", "[1]", '["c", "b"]'),
);

const pattern = quoted(
  one(
    "",
    "a",
    "a*",
    "a+",
    "(a)(b)?",
    "^a",
    "b$",
    "x*",
    "[",
    "(?P<n>a)b",
    ".",
    "(?i)A",
    "\\pL+",
    "😀",
    "(a|ab)(c|bcd)",
    "\\b",
    "(?s).",
    "\\d",
  ),
);
const subject = quoted(
  one("", "a", "aaa", "baaab", "abab", "abcd", "a😀a", "x\ny", "AaA", "é日", "12 3"),
);
const glob = quoted(
  one(
    "",
    "a",
    "a*",
    "b*",
    "a+",
    ".",
    ".*",
    "[a-c]",
    "[a-c]*",
    "a.b",
    "[",
    "]",
    "a**",
    "\\*",
    "[\\]]",
    "[a-]",
    "[-a]",
    "[c-a]",
    "[]",
    "a\\",
  ),
);
const regexes = fc.oneof(
  call("regex.find_n", pattern, subject, one("-1", "0", "1", "2", "-5")),
  call("regex.split", pattern, subject),
  call(
    "regex.replace",
    subject,
    pattern,
    quoted(one("", "-", "$1", "${1}x", "$1x", "$n", "${n}!", "$$", "$", "${", "$0$2", "${9}")),
  ),
  call(
    "regex.template_match",
    quoted(one("urn:{.*}", "a{b|c}d", "{a}{b}", "{", "}", "a.b{[0-9]+}", "", "{a{2}}", "{(}")),
    quoted(one("urn:foo:bar", "abd", "ab", "axb12", "a.b12", "aa", "a{2}", "")),
    quoted(one("{", "{", "<", "é", "{{")),
    quoted(one("}", "}", ">")),
  ),
);
/** OPA's own search does not find every string that two globs have in common. */
const globs = call("regex.globs_match", glob, quoted(one("a", "b", "ab", "abc", "c", "*", "é")));

const uuids = call(
  "uuid.parse",
  quoted(
    join(
      one("", "", "{", "urn:uuid:", "URN:UUID:", "x"),
      one(
        "00000000-0000-1000-8000-000000000000",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "000003e8-92e8-21ed-8100-3fdb0085247e",
        "00000000-0000-4000-c000-000000000000",
        "FFFFFFFF-ffff-2fff-ffff-ffffffffffff",
        "6ba7b8109dad11d180b400c04fd430c8",
        "6ba7b810-9dad-11d1-80b4-00c04fd430cg",
      ),
      one("", "", "}"),
    ),
  ),
);

it.each([
  ["texts", texts, 300, 200],
  ["encodings", encodings, 150, 80],
  ["object.subset", subsets, 300, 100],
  ["semver", versions, 300, 200],
  ["units", units, 400, 100],
  ["numbers.range_step", ranges, 120, 40],
  ["graph.reachable_paths", graphs, 36, 20],
  ["regex", regexes, 500, 300],
  ["regex.globs_match", globs, 100, 50],
  ["uuid.parse", uuids, 80, 20],
] as const)(
  "%s: what opa says",
  async (_, calls, count, defined) => {
    const compared = await compareWithOpa(calls, count, defined);
    expect(compared).toEqual({ different: [], isEnough: true });
  },
  180_000,
);
