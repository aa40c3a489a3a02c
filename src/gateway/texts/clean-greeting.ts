/**
 * What a server says of itself, as far as clients are told it: its instructions, and the settings of
 * its extensions.
 */
import type { ServerConfig } from "../../config/config.ts";
import { isJsonObject } from "../../contract/json.ts";
import type { ServerGreeting } from "../../mcp/catalog/merge-greetings.ts";
import { cleanMembers, cleanText, textRulesOf } from "./clean-members.ts";

/** The same without hidden characters; what does not pass is left out. */
export function cleanGreeting(
  server: Pick<ServerConfig, "texts">,
  greeting: ServerGreeting | undefined,
): ServerGreeting | undefined {
  if (greeting === undefined) return undefined;
  const rules = textRulesOf(server);
  const { instructions, capabilities } = greeting;
  const { extensions, ...others } = capabilities;
  const settings = isJsonObject(extensions) ? cleanMembers(rules, extensions) : undefined;
  return {
    ...greeting,
    instructions: instructions === undefined ? undefined : cleanText(rules, instructions),
    capabilities: isJsonObject(settings) ? { ...others, extensions: settings } : others,
  };
}
