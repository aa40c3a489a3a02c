/**
 * Words of a server outside of results: messages of progress, log messages, notices and questions.
 * Hidden characters are taken away in all members but those by which something is known, which
 * nobody may rewrite; where one of these holds any, the whole does not pass.
 */
import type { ServerConfig } from "../../config/config.ts";
import type { TextRules } from "../../config/texts-schema.ts";
import { usualTexts } from "../../config/texts-schema.ts";
import { hasHidden } from "../../contract/hidden-characters.ts";
import { isRecord } from "../../contract/json.ts";
import { cleanJson } from "../../mcp/wire/clean-json.ts";

type Members = Readonly<Record<string, unknown>>;

/** What the operator wants of this server's words. */
export function textRulesOf({ texts }: Pick<ServerConfig, "texts">): TextRules {
  return texts ?? usualTexts;
}

/** The members as a client may have them; `undefined` for what does not pass. */
export function cleanMembers(
  { hiddenCharacters: rule, maxBytes }: TextRules,
  members: Members,
  names: ReadonlySet<string> = new Set(),
): Members | undefined {
  const text = JSON.stringify(members);
  if (maxBytes !== undefined && Buffer.byteLength(text) > maxBytes) return undefined;
  if (rule === "keep") return members;
  const { changed, isWhole } = cleanJson(text, "remove");
  if (changed === 0 && isWhole) return members;
  if (rule === "refuse" || !isWhole) return undefined;
  const [named, said] = [only(members, names, true), only(members, names, false)];
  if (cleanJson(JSON.stringify(named), "remove").changed > 0) return undefined;
  const cleaned: unknown = JSON.parse(cleanJson(JSON.stringify(said), rule).text);
  return isRecord(cleaned) ? { ...cleaned, ...named } : undefined;
}

function only(members: Members, names: ReadonlySet<string>, isNamed: boolean): Members {
  return Object.fromEntries(Object.entries(members).filter(([key]) => names.has(key) === isNamed));
}

/** One text; `undefined` for what does not pass. */
export function cleanText(rules: TextRules, text: string): string | undefined {
  if (rules.maxBytes === undefined && !hasHidden(text)) return text;
  const cleaned = cleanMembers(rules, { text })?.["text"];
  return typeof cleaned === "string" ? cleaned : undefined;
}
