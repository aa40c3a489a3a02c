/**
 * Takes a template apart into text and actions, and actions into words. `{{-` and `-}}` take the
 * white space beside them away; comments are dropped.
 */
import { fault } from "./template-value.ts";

export interface Token {
  readonly text: string;
  /** White space stands before it: `.a .b` are two operands, `.a.b` is one. */
  readonly isApart: boolean;
}

export type Piece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "action"; readonly tokens: readonly Token[] };

const comment = /\{\{(?:- )?\/\*[\s\S]*?\*\/(?: -)?\}\}/y;
const opening = /\{\{(?:-(?=[ \t\r\n]))?/y;
const closing = /(?:(?<=[ \t\r\n])-)?\}\}/y;
const space = /[ \t\r\n]+/y;
const word = new RegExp(
  [
    String.raw`"(?:[^"\\\n]|\\.)*"`,
    "`[^`]*`",
    String.raw`'(?:[^'\\\n]|\\[^\n]+?)'`,
    String.raw`[+-]?(?:0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|\d[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?\d+)?|\.\d[\d_]*(?:[eE][+-]?\d+)?)`,
    String.raw`\.[\p{L}_][\p{L}\p{Nd}_]*`,
    String.raw`\$(?:[\p{L}_][\p{L}\p{Nd}_]*)?`,
    String.raw`[\p{L}_][\p{L}\p{Nd}_]*`,
    ":=",
    "[.|()=,]",
  ].join("|"),
  "uy",
);

/** Text and actions in their order. */
export function readPieces(template: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let [at, trimsNext] = [0, false];
  while (at < template.length) {
    const start = template.indexOf("{{", at);
    const end = start < 0 ? template.length : start;
    const action = start < 0 ? undefined : readAction(template, start);
    const after = trimsNext ? template.slice(at, end).trimStart() : template.slice(at, end);
    const text = action?.trimsBefore === true ? after.trimEnd() : after;
    if (text !== "") pieces.push({ kind: "text", text });
    if (action === undefined) break;
    if (action.tokens !== undefined) pieces.push({ kind: "action", tokens: action.tokens });
    [at, trimsNext] = [action.end, action.trimsAfter];
  }
  return pieces;
}

interface Action {
  /** Undefined for a comment. */
  readonly tokens: readonly Token[] | undefined;
  readonly end: number;
  readonly trimsBefore: boolean;
  readonly trimsAfter: boolean;
}

function readAction(template: string, start: number): Action {
  const dropped = match(comment, template, start);
  if (dropped !== undefined) {
    const [trimsBefore, trimsAfter] = [dropped.startsWith("{{-"), dropped.endsWith("-}}")];
    return { tokens: undefined, end: start + dropped.length, trimsBefore, trimsAfter };
  }
  const open = match(opening, template, start) ?? "";
  const tokens: Token[] = [];
  let [at, isApart] = [start + open.length, true];
  for (;;) {
    const gap = match(space, template, at) ?? "";
    at += gap.length;
    isApart ||= gap !== "";
    const close = match(closing, template, at);
    if (close !== undefined) {
      const [trimsBefore, trimsAfter] = [open.endsWith("-"), close.startsWith("-")];
      return { tokens, end: at + close.length, trimsBefore, trimsAfter };
    }
    const text = match(word, template, at);
    if (text === undefined) throw fault("unexpected character in a template's action");
    tokens.push({ text, isApart });
    at += text.length;
    isApart = false;
  }
}

function match(form: RegExp, text: string, at: number): string | undefined {
  form.lastIndex = at;
  return form.exec(text)?.[0];
}
