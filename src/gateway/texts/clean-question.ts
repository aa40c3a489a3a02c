/**
 * A question of a server towards the client without hidden characters. Schemas of forms and of tools
 * are cleaned as those of listed tools are: what answers are checked by is not rewritten.
 */
import type { TextRules } from "../../config/texts-schema.ts";
import { usualTexts } from "../../config/texts-schema.ts";
import type { JsonObject } from "../../contract/json.ts";
import { isJsonObject } from "../../contract/json.ts";
import { cleanDefinition } from "../../mcp/catalog/clean-definition.ts";
import { cleanMembers } from "./clean-members.ts";

/** By what it is known, and where its page is. */
const names: ReadonlySet<string> = new Set(["url", "elicitationId", "requestedSchema", "tools"]);

/**
 * Its params as the client may have them; `undefined` where it may not be asked. How large it may be
 * is for `policy.input_max_bytes` to say, because policy sees all of it.
 */
export function cleanQuestion(
  { hiddenCharacters }: TextRules,
  params: JsonObject,
): JsonObject | undefined {
  const rules = { ...usualTexts, hiddenCharacters };
  const { requestedSchema, tools } = params;
  const schemas = cleanDefinition(
    {
      ...(requestedSchema === undefined ? {} : { requestedSchema }),
      ...(tools === undefined ? {} : { tools }),
    },
    rules,
  );
  if (!schemas.ok) return undefined;
  const cleaned = cleanMembers(rules, { ...params, ...schemas.definition }, names);
  return isJsonObject(cleaned) ? cleaned : undefined;
}
