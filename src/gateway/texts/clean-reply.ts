/**
 * An answer without hidden characters and not larger than the operator allows, before anybody else
 * looks at it: what detectors, policies and obligations judge is what the client reads. What the
 * gateway seals or decides by itself (`requestState`, the questions in a result) is left alone here;
 * an answer whose task is known by such an id is none.
 */
import type { TextRules } from "../../config/texts-schema.ts";
import type { ObligationDone } from "../../contract/record.ts";
import { isRecord } from "../../contract/json.ts";
import type { HiddenRule } from "../../contract/hidden-characters.ts";
import { hasHidden } from "../../contract/hidden-characters.ts";
import { cleanJson, mayHoldHidden, newEffort } from "../../mcp/wire/clean-json.ts";
import type { RawResult } from "../../mcp/wire/read-server-message.ts";
import { rewriteResult } from "../../mcp/wire/rewrite-result.ts";
import type { RpcError } from "../../mcp/wire/rpc.ts";
import { readResult } from "../action/read-result.ts";
import type { AnsweredReply } from "../action/judge-result.ts";

export type CleanedReply =
  | { readonly ok: true; readonly reply: AnsweredReply; readonly done: readonly ObligationDone[] }
  | {
      readonly ok: false;
      readonly code: "hidden_characters" | "result_too_large";
      /** For the client. */
      readonly message: string;
    };

/** Not shown to the client as they are. */
const ownMembers: ReadonlySet<string> = new Set(["inputRequests", "requestState"]);

/** The answer as the client may have it; the very same one where there is nothing to do. */
export function cleanReply(rules: TextRules, reply: AnsweredReply): CleanedReply {
  const { maxBytes, oversize, hiddenCharacters: rule } = rules;
  const bytes = bytesOf(reply);
  if (maxBytes !== undefined && bytes.length > maxBytes && oversize === "withhold") {
    const message = `It has ${bytes.length} bytes, and ${maxBytes} are allowed. Ask for less: fewer items, a smaller range, or one page at a time.`;
    return { ok: false, code: "result_too_large", message };
  }
  if (rule === "keep" || !mayHoldHidden(bytes)) return { ok: true, reply, done: [] };
  const cleaned =
    reply.kind === "error" ? cleanError(reply.error, rule) : cleanResult(reply.result, rule);
  if (cleaned === undefined || (rule === "refuse" && cleaned.changed > 0)) return refused;
  if (cleaned.changed === 0) return { ok: true, reply, done: [] };
  const { changed } = cleaned;
  const done = [{ id: "hidden_characters", type: "gateway", changed }];
  return { ok: true, reply: cleaned.reply, done };
}

const refused: CleanedReply = {
  ok: false,
  code: "hidden_characters",
  message: "The operator does not let this server send them.",
};

interface Cleaned {
  readonly reply: AnsweredReply;
  readonly changed: number;
}

function cleanError(error: RpcError, rule: HiddenRule): Cleaned | undefined {
  const { code, ...words } = error;
  const { text, changed, isWhole } = cleanJson(JSON.stringify(words), written(rule));
  if (!isWhole) return undefined;
  const cleaned: unknown = JSON.parse(text);
  if (!isRecord(cleaned) || typeof cleaned["message"] !== "string") return undefined;
  const { message, data } = cleaned;
  const shown = { code, message, ...(data === undefined ? {} : { data }) };
  return { reply: { kind: "error", error: shown }, changed };
}

function cleanResult(result: RawResult, rule: HiddenRule): Cleaned | undefined {
  const { taskId, task } = result.value;
  const ids = [taskId, isRecord(task) ? task["taskId"] : undefined];
  if (ids.some((id) => typeof id === "string" && hasHidden(id))) return undefined;
  const effort = newEffort();
  let [changed, isWhole] = [0, true];
  const bytes = rewriteResult(result, {
    set: {},
    drops: hasHidden,
    dropsMeta: () => false,
    replace: (key, part) => {
      if (ownMembers.has(key) || !isWhole) return undefined;
      const cleaned = cleanJson(part.toString("utf8"), written(rule), effort);
      changed += cleaned.changed;
      isWhole = cleaned.isWhole;
      return cleaned.text;
    },
  });
  changed += Object.keys(result.value).filter(hasHidden).length;
  if (!isWhole) return undefined;
  const read = changed === 0 ? result : readResult(bytes);
  return read && { reply: { kind: "result", result: read }, changed };
}

function written(rule: HiddenRule): "escape" | "remove" {
  return rule === "remove" ? rule : "escape";
}

/** An answer as the operator's limit measures it. */
export function bytesOf(reply: AnsweredReply): Buffer {
  return reply.kind === "error" ? Buffer.from(JSON.stringify(reply.error)) : reply.result.bytes;
}
