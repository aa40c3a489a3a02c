import { expect, test } from "vitest";
import { openHostile } from "../support/hostile-tar.ts";

test.each([
  ["the same name", "policy.wasm", "policy.wasm"],
  ["a leading slash", "policy.wasm", "/policy.wasm"],
  ["a leading dot", "policy.wasm", "./policy.wasm"],
  ["another case", "policy.wasm", "Policy.WASM"],
  ["another normal form", "caf\u00e9.rego", "cafe\u0301.rego"],
  ["a compatible character", "\ufb01le.rego", "file.rego"],
])("an archive that has a file twice, by %s, is refused", (_, first, second) => {
  expect(openHostile({ name: first, content: "good" }, { name: second, content: "evil" })).toBe(
    "bundle_archive_unsafe",
  );
});
