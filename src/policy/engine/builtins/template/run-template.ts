/**
 * Runs a parsed template on a value.
 */
import type { ControlNode, Node, Operand, Pipeline, Template, Term } from "./parse-template.ts";
import { operandCounts, templateFunctions } from "./template-functions.ts";
import { fault, isTrue, none, printValue } from "./template-value.ts";
import type { TemplateValue } from "./template-value.ts";

interface Run {
  readonly template: Template;
  /** Innermost last; a name may be there more than once. */
  readonly variables: [name: string, value: TemplateValue][];
  text: string;
  depth: number;
}

type Jump = "break" | "continue" | undefined;

/** Longer texts and ranges, and templates in templates beyond this, fail the evaluation. */
const maxLength = 8 * 1024 * 1024;
const maxRange = 1_000_000;
const maxDepth = 500;

/**
 * The text that a template makes.
 *
 * @throws SyntaxError for what OPA reports as an error, Error beyond the bounds.
 */
export function runTemplate(template: Template, value: TemplateValue): string {
  const run: Run = { template, variables: [["$", value]], text: "", depth: 0 };
  walk(run, template.nodes, value);
  return run.text;
}

function walk(run: Run, nodes: readonly Node[], dot: TemplateValue): Jump {
  for (const node of nodes) {
    const jump = walkNode(run, node, dot);
    if (run.text.length > maxLength) {
      throw new Error(`expected a text of at most ${maxLength} characters of a template`);
    }
    if (jump !== undefined) return jump;
  }
  return undefined;
}

function walkNode(run: Run, node: Node, dot: TemplateValue): Jump {
  switch (node.kind) {
    case "text":
      run.text += node.text;
      return undefined;
    case "print": {
      const value = evaluate(run, node.pipeline, dot);
      if (node.pipeline.variables.length === 0) run.text += printValue(value);
      return undefined;
    }
    case "if":
    case "with":
      return inScope(run, () => {
        const value = evaluate(run, node.pipeline, dot);
        if (!isTrue(value)) return walk(run, node.otherwise, dot);
        return walk(run, node.body, node.kind === "with" ? value : dot);
      });
    case "range":
      return inScope(run, () => walkRange(run, node, dot));
    case "break":
    case "continue":
      return node.kind;
    case "template":
      callTemplate(run, node, dot);
      return undefined;
  }
}

function inScope(run: Run, inside: () => Jump): Jump {
  const mark = run.variables.length;
  const jump = inside();
  run.variables.length = mark;
  return jump;
}

function walkRange(run: Run, { pipeline, body, otherwise }: ControlNode, dot: TemplateValue): Jump {
  const { variables, isDeclared } = pipeline;
  const entries = entriesOf(evaluate(run, { ...pipeline, variables: [] }, dot));
  for (const [key, value] of entries) {
    const jump = inScope(run, () => {
      const values = variables.length === 2 ? [key, value] : [value];
      for (const [place, name] of variables.entries()) {
        setVariable(run, name, values[place] ?? none, isDeclared);
      }
      return walk(run, body, value);
    });
    if (jump === "break") return undefined;
  }
  return entries.length > 0 ? undefined : walk(run, otherwise, dot);
}

function entriesOf(value: TemplateValue): readonly (readonly [TemplateValue, TemplateValue])[] {
  switch (value.kind) {
    case "list":
      return value.items.map((item, place) => [{ kind: "integer", value: BigInt(place) }, item]);
    case "map":
      return [...value.members].map(([key, member]) => [{ kind: "string", value: key }, member]);
    case "none":
    case "null":
      return [];
    case "integer": {
      const count = Math.max(Number(value.value), 0);
      if (count > maxRange) throw new Error(`expected a range of at most ${maxRange} numbers`);
      return Array.from({ length: count }, (_, place) => {
        const number = { kind: "integer", value: BigInt(place) } as const;
        return [number, number];
      });
    }
    case "boolean":
    case "string":
    case "float":
      throw fault("range can't iterate over this value");
  }
}

function callTemplate(
  run: Run,
  { name, pipeline }: Extract<Node, { readonly kind: "template" }>,
  dot: TemplateValue,
): void {
  const nodes = run.template.named.get(name);
  if (nodes === undefined) throw fault(`template "${name}" not defined`);
  if (run.depth >= maxDepth) throw new Error(`expected at most ${maxDepth} nested templates`);
  const value = pipeline === undefined ? none : evaluate(run, pipeline, dot);
  const inner: Run = { ...run, variables: [["$", value]], text: "", depth: run.depth + 1 };
  walk(inner, nodes, value);
  run.text += inner.text;
}

function evaluate(run: Run, pipeline: Pipeline, dot: TemplateValue): TemplateValue {
  let value: TemplateValue | undefined;
  for (const command of pipeline.commands) {
    const result = evaluateCommand(run, command, dot, value);
    value = result.kind === "null" ? none : result;
  }
  for (const name of pipeline.variables) {
    setVariable(run, name, value ?? none, pipeline.isDeclared);
  }
  return value ?? none;
}

function setVariable(run: Run, name: string, value: TemplateValue, isDeclared: boolean): void {
  if (isDeclared) {
    run.variables.push([name, value]);
    return;
  }
  const known = run.variables.findLast(([other]) => other === name);
  if (known === undefined) throw fault(`undefined variable: ${name}`);
  known[1] = value;
}

/** `last` is what the command before it in the pipeline gave: the last operand of this one. */
function evaluateCommand(
  run: Run,
  [first, ...others]: readonly Operand[],
  dot: TemplateValue,
  last: TemplateValue | undefined,
): TemplateValue {
  if (first === undefined) throw fault("missing value for command");
  if (first.term.kind === "function") {
    const lazy = others.map((operand) => () => evaluateOperand(run, operand, dot));
    const operands = last === undefined ? lazy : [...lazy, () => last];
    return takeFields(callFunction(first.term.name, operands), first.fields);
  }
  if (others.length > 0 || last !== undefined) throw fault("can't give argument to non-function");
  if (first.term.kind === "nil") throw fault("nil is not a command");
  return evaluateOperand(run, first, dot);
}

function callFunction(name: string, operands: readonly (() => TemplateValue)[]): TemplateValue {
  if (name === "and" || name === "or") return callLogic(name === "or", operands);
  const implementation = templateFunctions.get(name);
  const [from, to] = operandCounts.get(name) ?? [0, Infinity];
  if (implementation === undefined) throw fault(`function "${name}" not defined`);
  if (operands.length < from || operands.length > to) {
    throw fault(`wrong number of args for ${name}`);
  }
  return implementation(...operands.map((operand) => operand()));
}

/** The first operand that decides, or the last one. */
function callLogic(decides: boolean, operands: readonly (() => TemplateValue)[]): TemplateValue {
  let value: TemplateValue | undefined;
  for (const operand of operands) {
    value = operand();
    if (isTrue(value) === decides) return value;
  }
  if (value === undefined) throw fault("wrong number of args for and, or");
  return value;
}

function evaluateOperand(run: Run, { term, fields }: Operand, dot: TemplateValue): TemplateValue {
  return takeFields(evaluateTerm(run, term, dot), fields);
}

function evaluateTerm(run: Run, term: Term, dot: TemplateValue): TemplateValue {
  switch (term.kind) {
    case "constant":
      return term.value;
    case "nil":
      return none;
    case "dot":
      return dot;
    case "field":
      return takeFields(dot, [term.name]);
    case "variable": {
      const known = run.variables.findLast(([name]) => name === term.name);
      if (known === undefined) throw fault(`undefined variable: ${term.name}`);
      return known[1];
    }
    case "function":
      return callFunction(term.name, []);
    case "pipeline":
      return evaluate(run, term.pipeline, dot);
  }
}

function takeFields(value: TemplateValue, fields: readonly string[]): TemplateValue {
  let taken = value;
  for (const name of fields) {
    if (taken.kind === "none") return none;
    if (taken.kind !== "map") throw fault(`can't evaluate field ${name}`);
    taken = taken.members.get(name) ?? none;
  }
  return taken;
}
