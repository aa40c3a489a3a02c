/**
 * The language of Go's `text/template`: actions become a tree.
 */
import { readConstant } from "./read-constant.ts";
import { readPieces } from "./template-tokens.ts";
import type { Piece, Token } from "./template-tokens.ts";
import { fault } from "./template-value.ts";
import type { TemplateValue } from "./template-value.ts";

export type Term =
  | { readonly kind: "constant"; readonly value: TemplateValue }
  | { readonly kind: "nil" }
  | { readonly kind: "dot" }
  | { readonly kind: "field"; readonly name: string }
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "function"; readonly name: string }
  | { readonly kind: "pipeline"; readonly pipeline: Pipeline };

/** A term, and the members that are taken of it one after the other. */
export interface Operand {
  readonly term: Term;
  readonly fields: readonly string[];
}

export interface Pipeline {
  /** Variables that are set, two at most and two only for `range`. */
  readonly variables: readonly string[];
  readonly isDeclared: boolean;
  readonly commands: readonly (readonly Operand[])[];
}

export interface ControlNode {
  readonly kind: "if" | "with" | "range";
  readonly pipeline: Pipeline;
  readonly body: readonly Node[];
  readonly otherwise: readonly Node[];
}

export type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "print"; readonly pipeline: Pipeline }
  | ControlNode
  | { readonly kind: "break" | "continue" }
  | { readonly kind: "template"; readonly name: string; readonly pipeline: Pipeline | undefined };

export interface Template {
  readonly nodes: readonly Node[];
  readonly named: ReadonlyMap<string, readonly Node[]>;
}

interface Parser {
  readonly pieces: readonly Piece[];
  readonly named: Map<string, readonly Node[]>;
  at: number;
  loops: number;
}

interface Words {
  readonly tokens: readonly Token[];
  at: number;
}

/** Where a list of nodes ends. */
interface Ending {
  readonly word: "end" | "else" | "";
  /** What stands behind `else`. */
  readonly rest: readonly Token[];
}

/**
 * Parses a template.
 *
 * @throws SyntaxError for text that is none.
 */
export function parseTemplate(text: string): Template {
  const parser: Parser = { pieces: readPieces(text), named: new Map(), at: 0, loops: 0 };
  const { nodes, ending } = parseList(parser);
  if (ending.word !== "") throw fault(`unexpected {{${ending.word}}}`);
  return { nodes, named: parser.named };
}

function parseList(parser: Parser): { readonly nodes: readonly Node[]; readonly ending: Ending } {
  const nodes: Node[] = [];
  for (let piece = parser.pieces[parser.at]; piece; piece = parser.pieces[parser.at]) {
    parser.at += 1;
    if (piece.kind === "text") {
      nodes.push(piece);
      continue;
    }
    const [first, ...rest] = piece.tokens;
    if (first?.text === "end" || first?.text === "else") {
      return { nodes, ending: { word: first.text, rest } };
    }
    nodes.push(...parseAction(parser, first?.text ?? "", piece.tokens));
  }
  return { nodes, ending: { word: "", rest: [] } };
}

function parseAction(parser: Parser, word: string, tokens: readonly Token[]): readonly Node[] {
  const rest = tokens.slice(1);
  switch (word) {
    case "if":
    case "with":
    case "range":
      return [parseControl(parser, word, rest)];
    case "break":
    case "continue":
      if (rest.length > 0 || parser.loops === 0) throw fault(`{{${word}}} outside {{range}}`);
      return [{ kind: word }];
    case "define":
      define(parser, nameOf(rest, 1));
      return [];
    case "block": {
      const name = nameOf(rest);
      define(parser, name);
      return [{ kind: "template", name, pipeline: parsePipeline(rest.slice(1), 0) }];
    }
    case "template": {
      const pipeline = rest.length > 1 ? parsePipeline(rest.slice(1), 1) : undefined;
      return [{ kind: "template", name: nameOf(rest), pipeline }];
    }
    default:
      return [{ kind: "print", pipeline: parsePipeline(tokens, 1) }];
  }
}

function parseControl(
  parser: Parser,
  kind: "if" | "with" | "range",
  tokens: readonly Token[],
): Node {
  const pipeline = parsePipeline(tokens, kind === "range" ? 2 : 1);
  parser.loops += kind === "range" ? 1 : 0;
  const { nodes: body, ending } = parseList(parser);
  parser.loops -= kind === "range" ? 1 : 0;
  return { kind, pipeline, body, otherwise: parseOtherwise(parser, kind, ending) };
}

function parseOtherwise(parser: Parser, kind: string, { word, rest }: Ending): readonly Node[] {
  if (word === "end" && rest.length === 0) return [];
  if (word !== "else") throw fault(`expected {{end}} of {{${kind}}}`);
  const [next] = rest;
  if (next === undefined) {
    const { nodes, ending } = parseList(parser);
    if (ending.word !== "end" || ending.rest.length > 0) throw fault("expected {{end}}");
    return nodes;
  }
  // `{{else if}}` needs no end of its own.
  if (next.text !== kind || kind === "range") throw fault(`unexpected ${next.text} in {{else}}`);
  return [parseControl(parser, kind === "if" ? "if" : "with", rest.slice(1))];
}

function define(parser: Parser, name: string): void {
  const loops = parser.loops;
  parser.loops = 0;
  const { nodes, ending } = parseList(parser);
  parser.loops = loops;
  if (ending.word !== "end") throw fault(`expected {{end}} of {{define}}`);
  const isEmpty = nodes.every((node) => node.kind === "text" && node.text.trim() === "");
  if (!isEmpty || !parser.named.has(name)) parser.named.set(name, nodes);
}

function nameOf([token]: readonly Token[], only?: number): string {
  const value = token === undefined ? undefined : readConstant(token.text);
  if (value?.kind !== "string" || only === 0) throw fault("expected the name of a template");
  return value.value;
}

function parsePipeline(tokens: readonly Token[], maxVariables: number): Pipeline {
  const words: Words = { tokens, at: 0 };
  const pipeline = parseWords(words, maxVariables);
  if (words.at < tokens.length) throw fault("unexpected end of a pipeline");
  return pipeline;
}

function parseWords(words: Words, maxVariables: number): Pipeline {
  const { variables, isDeclared } = parseVariables(words, maxVariables);
  const commands = [parseCommand(words)];
  while (take(words, "|")) commands.push(parseCommand(words));
  const isGood = commands
    .slice(1)
    .every(([first]) => first?.term.kind === "function" || (first?.fields.length ?? 0) > 0);
  if (!isGood) throw fault("non executable command in pipeline");
  return { variables, isDeclared, commands };
}

function parseVariables(words: Words, max: number): Pick<Pipeline, "variables" | "isDeclared"> {
  const texts = words.tokens.slice(words.at, words.at + 4).map(({ text }) => text);
  const isTwo = max === 2 && texts[1] === "," && isVariable(texts[2]);
  const sign = isTwo ? texts[3] : texts[1];
  const names = isTwo ? [texts[0], texts[2]] : [texts[0]];
  if (!isVariable(texts[0]) || (sign !== ":=" && sign !== "=") || max === 0) {
    return { variables: [], isDeclared: false };
  }
  words.at += isTwo ? 4 : 2;
  return { variables: names.map((name) => name ?? ""), isDeclared: sign === ":=" };
}

function isVariable(text: string | undefined): boolean {
  return text !== undefined && /^\$./.test(text);
}

function parseCommand(words: Words): readonly Operand[] {
  const operands: Operand[] = [];
  for (let next = words.tokens[words.at]; next; next = words.tokens[words.at]) {
    if (next.text === "|" || next.text === ")") break;
    if (operands.length > 0 && !next.isApart) throw fault(`unexpected ${next.text} in operand`);
    operands.push(parseOperand(words));
  }
  if (operands.length === 0) throw fault("missing value for command");
  return operands;
}

function parseOperand(words: Words): Operand {
  const term = parseTerm(words);
  const fields: string[] = [];
  for (let next = words.tokens[words.at]; next; next = words.tokens[words.at]) {
    if (next.isApart || !/^\.[^\d]/.test(next.text)) break;
    fields.push(next.text.slice(1));
    words.at += 1;
  }
  if (fields.length > 0 && (term.kind === "constant" || term.kind === "nil")) {
    throw fault("unexpected . after a constant");
  }
  return { term, fields };
}

function parseTerm(words: Words): Term {
  const text = words.tokens[words.at]?.text ?? "";
  words.at += 1;
  if (text === "(") {
    const pipeline = parseWords(words, 0);
    if (!take(words, ")")) throw fault("unclosed left paren");
    return { kind: "pipeline", pipeline };
  }
  if (text === ".") return { kind: "dot" };
  if (text === "nil") return { kind: "nil" };
  if (text.startsWith("$")) return { kind: "variable", name: text };
  if (/^\.[\p{L}_]/u.test(text)) return { kind: "field", name: text.slice(1) };
  const value = readConstant(text);
  if (value !== undefined) return { kind: "constant", value };
  if (/^[\p{L}_]/u.test(text)) return { kind: "function", name: text };
  throw fault(`unexpected ${text} in operand`);
}

function take(words: Words, text: string): boolean {
  if (words.tokens[words.at]?.text !== text) return false;
  words.at += 1;
  return true;
}
