/**
 * Builtins of time and JSON beside OPA's own evaluator, on calls that are made up.
 */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { call, compareWithOpa, join, one, quoted, text, values } from "./made-up-calls.ts";

const instant = one(
  "0",
  "-1",
  "1764000000123456789",
  "1706745600000000000",
  "1722470400000000000",
  "9223372036854775807",
  "-9223372036854775808",
  "9223372036854775808",
  "1e18",
  "1.5",
  "951782400000000000",
  "1711846800000000000",
  "1729990800000000000",
);
const zone = quoted(
  one(
    "",
    "UTC",
    "America/New_York",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "No/Where",
    "Asia/Tokyo",
    "America/Sao_Paulo",
  ),
);
const moment = fc.oneof(
  instant,
  fc.tuple(instant, zone).map((pair) => `[${pair.join(", ")}]`),
);
const layoutPart = one(
  "2006",
  "06",
  "01",
  "1",
  "Jan",
  "January",
  "02",
  "2",
  "_2",
  "002",
  "__2",
  "15",
  "03",
  "3",
  "04",
  "4",
  "05",
  "5",
  "PM",
  "pm",
  "Mon",
  "Monday",
  "MST",
  "Z07:00",
  "-0700",
  "-07",
  "Z0700",
  "-07:00:00",
  ".000",
  ".999",
  ",000000000",
  ".00",
  "_2006",
  "Janet",
);
const layout = fc.oneof(
  one(
    "ANSIC",
    "UnixDate",
    "RubyDate",
    "RFC822",
    "RFC822Z",
    "RFC850",
    "RFC1123",
    "RFC1123Z",
    "RFC3339",
    "RFC3339Nano",
    "",
    "x",
  ),
  fc
    .array(fc.tuple(layoutPart, one(" ", "-", ":", "", "T", " at ", "5")), { maxLength: 6 })
    .map((parts) => parts.flat().join("")),
);
const delta = one("0", "1", "-1", "13", "-30", "400", "1000000", "1.5");
const times = fc.oneof(
  call("time.date", moment),
  call("time.clock", moment),
  call("time.weekday", moment),
  call("time.add_date", instant, delta, delta, delta),
  call("time.diff", moment, moment),
  fc.tuple(instant, zone, quoted(layout)).map((parts) => `time.format([${parts.join(", ")}])`),
  call("time.format", moment),
);

const durationPart = join(
  one("", "1", "1.5", ".5", "1.", "0", "300", "9223372036", "1.2.3", "."),
  one("ns", "us", "µs", "ms", "s", "m", "h", "d", "w", "y", "", "x", "μs"),
);
const durations = call(
  "time.parse_duration_ns",
  quoted(join(one("", "", "-", "+"), durationPart, one("", "", "3h", "1d"), durationPart)),
);

const written: readonly (readonly [string, readonly string[]])[] = [
  [
    "2006-01-02",
    ["2024-02-29", "2023-02-29", "2024-2-29", "0000-01-01", "2024-13-01", " 2024-01-01"],
  ],
  [
    "RFC1123",
    [
      "Mon, 02 Jan 2006 15:04:05 MST",
      "Mon, 02 Jan 2006 15:04:05 GMT+3",
      "Xon, 02 Jan 2006 15:04:05 MST",
      "mon, 02 JAN 2006 15:04:05 +03",
    ],
  ],
  [
    "RFC850",
    [
      "Monday, 02-Jan-06 15:04:05 MST",
      "Monday, 02-Jan-70 15:04:05.5 UTC",
      "Friday, 02-Jan-68 15:04:05 WITA",
    ],
  ],
  [
    "2006-01-02T15:04:05Z07:00",
    [
      "2024-01-01T00:00:00Z",
      "2024-01-01T00:00:00.123456789+05:30",
      "2024-01-01T0:00:00,5-25:00",
      "2024-01-01T24:00:00Z",
    ],
  ],
  ["3:04PM", ["3:04PM", "12:00AM", "12:00PM", "13:00PM", "3:04pm", "0:00AM"]],
  ["2006 002", ["2024 366", "2023 366", "2024 060", "2023 060", "2024 000", "2024 60"]],
  ["2006-01 __2", ["2024-02  60", "2024-02 60", "2023-03  60", "2023-02  60"]],
  [
    "Jan _2 2006 15:04:05.000",
    [
      "Feb  3 2024 01:02:03.123",
      "Feb 3 2024 01:02:03.12",
      "Feb 13 2024 01:02:03,1234",
      "february 3 2024 01:02:03.123",
    ],
  ],
  [
    "2006-01-02 15:04:05.999 -0700",
    [
      "2024-01-02 03:04:05 +0100",
      "2024-01-02 03:04:05.1 -0130",
      "2024-01-02 03:04:05.123456789123 +0000",
      "1500-01-02 03:04:05 +0000",
    ],
  ],
  ["", ["", "x"]],
];
const parsed = fc
  .constantFrom(...written)
  .chain(([format, all]) =>
    fc.constantFrom(...all).map((value) => `time.parse_ns(${text(format)}, ${text(value)})`),
  );

/** The whole document is left out: OPA crashes where it is taken away. */
const path = one(
  '"/a"',
  '"a/b"',
  '"/a/b/0"',
  '"/a/b/-"',
  '"/a/b/00"',
  '"/x"',
  '["c"]',
  '["c", 1]',
  '"/c/1"',
  '"/a~1b"',
  '["a", "b", 1]',
  '"/0"',
  '"/-"',
  '"/1"',
  '["a", {"k": 1}]',
);
/** No sets: OPA crashes on some paths through them. */
const parts = one("1", '"a"', "null", "[]", "[1, 2, 3]", "{}", '{"a": 1}', '{"a": {"b": [2]}}');
const operation = fc
  .tuple(one("add", "remove", "replace", "move", "copy", "test", "none"), path, path, parts)
  .map(
    ([op, to, from, value]) => `{"op": "${op}", "path": ${to}, "from": ${from}, "value": ${value}}`,
  );
const patched = fc
  .tuple(parts, fc.array(operation, { minLength: 1, maxLength: 2 }))
  .map(([value, operations]) => `json.patch(${value}, [${operations.join(", ")}])`);
const patches = fc.oneof(
  patched,
  fc
    .tuple(
      one('{"a": {"b": [1, 2, 3]}, "c": [1, 2], "a/b": 5}', '[1, [2], {"k": 3}]'),
      fc.array(operation, { minLength: 1, maxLength: 2 }),
    )
    .map(([value, operations]) => `json.patch(${value}, [${operations.join(", ")}])`),
);
const marshals = call(
  "json.marshal_with_options",
  fc.oneof(
    values,
    one(
      '{"b": [1, {"x": []}], "a": {}, "<é>": "&\\u2028\\n\\u0001"}',
      '{1: 2, [3]: "x"}',
      "1.50",
      "12345678901234567890",
    ),
  ),
  one(
    "{}",
    '{"pretty": true}',
    '{"pretty": false, "indent": " "}',
    '{"indent": "  "}',
    '{"prefix": "> "}',
    '{"prefix": "p", "indent": ""}',
  ),
);

it.each([
  ["time", times, 500, 250],
  ["time.parse_duration_ns", durations, 300, 60],
  ["time.parse_ns", parsed, 200, 60],
  ["json.patch", patches, 400, 30],
  ["json.marshal_with_options", marshals, 120, 100],
] as const)(
  "%s: what opa says",
  async (_, calls, count, defined) => {
    const compared = await compareWithOpa(calls, count, defined);
    expect(compared).toEqual({ different: [], isEnough: true });
  },
  180_000,
);
