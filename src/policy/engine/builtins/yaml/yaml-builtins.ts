/**
 * `yaml.*` as OPA has them: the types of YAML 1.2 with what Go's library keeps of 1.1, merge keys,
 * and of keys that come twice the last.
 */
import { parseAllDocuments } from "yaml";
import type { Builtin, BuiltinGroup } from "../builtin.ts";
import { undefinedOnError } from "../crypto/undefined-on-error.ts";
import { ofTexts } from "../operands.ts";
import { writeText } from "../values.ts";
import { yamlNodeJson } from "./read-yaml-node.ts";
import { yamlText } from "./write-yaml.ts";

const unmarshal = ofTexts((text: string) => unmarshalText(text));

const isValid: Builtin = (operands, context) =>
  String(undefinedOnError(unmarshal)(operands, context) !== undefined);

export const yamlBuiltins: BuiltinGroup = {
  "yaml.is_valid": isValid,
  "yaml.marshal": undefinedOnError(([value]) =>
    value === undefined ? undefined : writeText(yamlText(value)),
  ),
  "yaml.unmarshal": undefinedOnError(unmarshal),
};

/** The first document as JSON text; those that follow have to be YAML. */
function unmarshalText(text: string): string {
  const documents = parseAllDocuments(text, {
    schema: "failsafe",
    uniqueKeys: false,
    logLevel: "silent",
  });
  if ("empty" in documents) return "null";
  const [fault] = documents.flatMap(({ errors }) => errors);
  if (fault !== undefined) throw fault;
  const [document] = documents;
  return document === undefined ? "null" : yamlNodeJson(document);
}
