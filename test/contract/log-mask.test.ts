import { expect, test } from "vitest";
import { readLogMasks } from "../../src/contract/log-mask.ts";

test("masks are read as OPA writes them: a path, or an object with op and path", () => {
  const declared = [
    "/input/action/args/password",
    { op: "upsert", path: "/input/result/a~1b/*", value: null },
    { op: "upsert", path: "/input/action/message/x" },
  ];
  expect(readLogMasks(declared)).toEqual({
    ok: true,
    masks: [
      { op: "remove", path: ["input", "action", "args", "password"] },
      { op: "upsert", path: ["input", "result", "a/b", "*"], value: null },
      { op: "upsert", path: ["input", "action", "message", "x"], value: undefined },
    ],
  });
  expect(readLogMasks(undefined)).toEqual({ ok: true, masks: [] });
});

test.each([
  ["what is no list", "/input/action/args/a"],
  ["what is not the server's own", ["/input/user/id"]],
  ["all arguments at once", ["/input/action/args"]],
  ["the decision", ["/result/allow"]],
  ["another op", [{ op: "add", path: "/input/action/args/a" }]],
  ["a member that nobody knows", [{ op: "remove", path: "/input/action/args/a", when: 1 }]],
  ["a value that is no scalar", [{ op: "upsert", path: "/input/action/args/a", value: {} }]],
  ["a pointer that is none", ["/input/action/args/a~2"]],
  ["too many", Array.from({ length: 257 }, () => "/input/action/args/a")],
])("%s is refused", (_, declared) => {
  expect(readLogMasks(declared)).toMatchObject({ ok: false });
});

const good = "/input/action/args/a";

const told: readonly (readonly [unknown, readonly string[], string])[] = [
  [good, [], `expected a list of at most 256 masks, found "${good}"`],
  [Array.from({ length: 257 }, () => good), [], "masks, found a list of 257"],
  [[good, 7], ["1"], "expected a path, such as /input/action/args/password, or an object"],
  [[good, 7], ["1"], "found 7"],
  [["input.a"], ["0"], 'such as /input/action/args/password, found "input.a"'],
  [["/input/user/id"], ["0"], "expected something below /input/action/args, input_responses"],
  [["/input/user/id"], ["0"], 'found "/input/user/id"'],
  [[{ op: "add", path: good }], ["0", "op"], 'expected "remove" or "upsert", found "add"'],
  [[{ op: "remove" }], ["0", "path"], "such as /input/action/args/password, found none"],
  [[{ op: "remove", path: "/result/x" }], ["0", "path"], 'found "/result/x"'],
  [[{ op: "upsert", path: good, value: [1] }], ["0", "value"], "256 characters, found a list of 1"],
  [[{ op: "upsert", path: good, when: 1 }], ["0"], 'op, path and value only, found "when"'],
  [[{ op: "upsert", path: good, value: "v".repeat(257) }], ["0", "value"], `${"v".repeat(119)}…`],
];

test.each(told)("of %j the message says which mask, what was expected and found", (...row) => {
  const [declared, path, said] = row;
  expect(readLogMasks(declared)).toEqual({
    ok: false,
    path,
    message: expect.stringContaining(said),
  });
});
