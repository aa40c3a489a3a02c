/**
 * Carries out the obligations that change what comes back: first fields, then texts, then lengths, so
 * that nothing is cut in two before it is looked for. What they cannot look into does not pass, and
 * what may not pass at all is said with the obligation that says so.
 */
import type { Editor } from "./editor.ts";
import { editMessage } from "./edit-message.ts";
import type { JsonNode } from "./json-tree.ts";
import { printTree, readTree, stringNode } from "./json-tree.ts";
import { maskEditor } from "./mask-fields.ts";
import type { ChangingDuty, FindKinds } from "./obligation.ts";
import { redactEditor } from "./redact.ts";
import { truncateEditor } from "./truncate.ts";

/** What was done for one obligation; never contents. */
export interface DutyDone {
  readonly id: string;
  readonly type: ChangingDuty["type"];
  /** Places that were changed. */
  readonly changed: number;
}

export type Fulfilment =
  /** `text` is the very same string where nothing was changed. */
  | { readonly ok: true; readonly text: string; readonly done: readonly DutyDone[] }
  | { readonly ok: false; readonly problem: string; readonly done: readonly DutyDone[] };

const order = { mask_fields: 0, redact: 1, truncate: 2 } as const;
/** Looking through more takes longer than other calls should wait. */
const maxCharacters = 2 * 1024 * 1024;

/** Carries them out on the JSON text of one message; never throws. */
export function fulfil(text: string, duties: readonly ChangingDuty[], find: FindKinds): Fulfilment {
  const sorted = duties.toSorted((a, b) => order[a.type] - order[b.type]);
  const node = text.length > maxCharacters ? undefined : readTree(text);
  if (node === undefined) {
    const problem = `expected JSON of at most ${maxCharacters} characters`;
    return { ok: false, problem, done: [] };
  }
  let edited = node;
  const done: DutyDone[] = [];
  for (const duty of sorted) {
    const editor = editorOf(duty, find);
    edited = withNote(editMessage(edited, editor), edited, duty, editor);
    const { changed, problem } = editor.tally;
    done.push({ id: duty.id, type: duty.type, changed });
    if (problem !== undefined) return { ok: false, problem: `"${duty.id}": ${problem}`, done };
  }
  const isSame = done.every(({ changed }) => changed === 0);
  return { ok: true, text: isSame ? text : printTree(edited), done };
}

function editorOf(duty: ChangingDuty, find: FindKinds): Editor {
  switch (duty.type) {
    case "redact":
      return redactEditor(duty, find);
    case "mask_fields":
      return maskEditor(duty);
    case "truncate":
      return truncateEditor(duty);
  }
}

/** A document that was cut says so beside itself, where a model reads it. */
function withNote(
  after: JsonNode,
  before: JsonNode,
  duty: ChangingDuty,
  { tally }: Editor,
): JsonNode {
  if (duty.type !== "truncate" || tally.changed === 0 || after.kind !== "object") return after;
  const was = printOf(before, "structuredContent");
  if (was === undefined || was === printOf(after, "structuredContent")) return after;
  const words = `[truncated by policy: "${duty.id}" cut the structured content]`;
  const note: JsonNode = {
    kind: "object",
    members: [
      ["type", stringNode("text")],
      ["text", stringNode(words)],
    ],
  };
  return {
    ...after,
    members: after.members.map(([name, value]) =>
      name === "content" && value.kind === "array"
        ? [name, { ...value, items: [...value.items, note] }]
        : [name, value],
    ),
  };
}

function printOf(node: JsonNode, name: string): string | undefined {
  if (node.kind !== "object") return undefined;
  const found = node.members.find(([key]) => key === name);
  return found && printTree(found[1]);
}
