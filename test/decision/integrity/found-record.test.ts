import { expect, test } from "vitest";
import { firstLink } from "../../../src/decision/integrity/chain-link.ts";
import { envelop } from "../../../src/decision/integrity/envelope.ts";
import { foundText } from "../../../src/decision/integrity/found-record.ts";

test("a record that breaks whoever reads it is no record, and the next one is read", () => {
  const depth = 50_000;
  const bundles = `${"[".repeat(depth)}${"]".repeat(depth)}`;
  const text = `{"kind":"admission","bundles":${bundles}}`;
  const head = { seq: 0, link: firstLink("w") };
  const deep = envelop("w", head, { text, header: "null" });
  const found = foundText(deep.text, { writer: "w", seq: 1, columns: undefined });
  expect(found).toMatchObject({ seq: 1, link: "", problem: "it cannot be read" });
});
