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
