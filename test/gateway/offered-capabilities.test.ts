import { expect, test } from "vitest";
import { offeredCapabilities } from "../../src/gateway/offered-capabilities.ts";

test("capabilities that are no questions pass as they are, and questions where they are listed", () => {
  const capabilities = { roots: {}, sampling: {}, elicitation: {}, experimental: { a: {} } };
  expect(offeredCapabilities(capabilities, [])).toEqual({ experimental: { a: {} } });
  expect(offeredCapabilities(capabilities, ["roots", "sampling", "elicitation"])).toEqual(
    capabilities,
  );
});
