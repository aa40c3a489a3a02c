/**
 * Tells whether a URI can have come from a URI template (RFC 6570), to find the server it belongs
 * to; what its variables are is the server's business. A server chooses the template and a client
 * the URI, so that time is bounded by the product of their lengths and there is no way back:
 * regular expressions made of templates have hung SDKs.
 */
import { maxUriLength } from "./resource-uri.ts";

/** A compiled template. */
export interface UriPattern {
  readonly parts: readonly Part[];
}

export type TemplateReading =
  | { readonly ok: true; readonly pattern: UriPattern }
  | { readonly ok: false; readonly reason: string };

type Part =
  | { readonly kind: "literal"; readonly text: string }
  /** What an expression expands to: `lead` and more, or nothing where it may be empty. */
  | {
      readonly kind: "expression";
      readonly lead: string;
      readonly mayBeEmpty: boolean;
      readonly stopsAt: string;
    };

const maxTemplateLength = 1024;
const maxExpressions = 16;
/** Looser than RFC 6570 in names of variables, because servers are. */
const expressionPattern = /^([+#./;?&]?)[\p{L}\p{N}_%$-][\p{L}\p{N}_%$.:*,-]*$/u;
const literalPattern = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}{}]*$/u;

/** What each operator of RFC 6570 §3.2 lets through; a simple value ends at the next segment. */
const operators: Readonly<Record<string, Omit<Extract<Part, { kind: "expression" }>, "kind">>> = {
  "": { lead: "", mayBeEmpty: false, stopsAt: "/" },
  "+": { lead: "", mayBeEmpty: false, stopsAt: "" },
  "#": { lead: "#", mayBeEmpty: true, stopsAt: "" },
  ".": { lead: ".", mayBeEmpty: true, stopsAt: "/" },
  "/": { lead: "/", mayBeEmpty: true, stopsAt: "" },
  ";": { lead: ";", mayBeEmpty: true, stopsAt: "/" },
  "?": { lead: "?", mayBeEmpty: true, stopsAt: "#" },
  "&": { lead: "&", mayBeEmpty: true, stopsAt: "#" },
};

/** Compiles a template of at most 1024 characters and 16 expressions. */
export function compileTemplate(template: string): TemplateReading {
  if (template.length === 0 || template.length > maxTemplateLength) {
    return refuse(`its uriTemplate is not 1 to ${maxTemplateLength} characters long`);
  }
  const parts: Part[] = [];
  for (let at = 0; at < template.length;) {
    const part = template[at] === "{" ? readExpression(template, at) : readLiteral(template, at);
    if (part === undefined) return refuse("its uriTemplate is none of RFC 6570");
    parts.push(part.part);
    at = part.end;
  }
  const expressions = parts.filter((part) => part.kind === "expression").length;
  if (expressions > maxExpressions)
    return refuse(`its uriTemplate has over ${maxExpressions} variables`);
  return { ok: true, pattern: { parts } };
}

/** True where `uri` can be an expansion of the template; false for one that is too long. */
export function matchesTemplate(pattern: UriPattern, uri: string): boolean {
  if (uri.length > maxUriLength) return false;
  let starts = new Set([0]);
  for (const part of pattern.parts) {
    starts =
      part.kind === "literal"
        ? passLiteral(part.text, uri, starts)
        : passExpression(part, uri, starts);
    if (starts.size === 0) return false;
  }
  return starts.has(uri.length);
}

function readExpression(
  template: string,
  start: number,
): { readonly part: Part; readonly end: number } | undefined {
  const close = template.indexOf("}", start);
  const operator = expressionPattern.exec(template.slice(start + 1, Math.max(close, start)))?.[1];
  const rule = operator === undefined ? undefined : operators[operator];
  return rule === undefined ? undefined : { part: { kind: "expression", ...rule }, end: close + 1 };
}

function readLiteral(
  template: string,
  start: number,
): { readonly part: Part; readonly end: number } | undefined {
  const open = template.indexOf("{", start);
  const end = open < 0 ? template.length : open;
  const text = template.slice(start, end);
  return literalPattern.test(text) ? { part: { kind: "literal", text }, end } : undefined;
}

function passLiteral(text: string, uri: string, starts: ReadonlySet<number>): Set<number> {
  const ends = new Set<number>();
  for (const start of starts) if (uri.startsWith(text, start)) ends.add(start + text.length);
  return ends;
}

/** Every offset at which the expression can end, from any of the offsets at which it can start. */
function passExpression(
  rule: Extract<Part, { kind: "expression" }>,
  uri: string,
  starts: ReadonlySet<number>,
): Set<number> {
  const ends = new Set<number>(rule.mayBeEmpty ? starts : []);
  let isInside = false;
  for (let at = 0; at < uri.length; at += 1) {
    const character = uri.charAt(at);
    const isLead = rule.lead !== "" && character === rule.lead && starts.has(at);
    const isMore: boolean = isInside || (rule.lead === "" && starts.has(at));
    isInside = isLead || (isMore && !rule.stopsAt.includes(character));
    if (isInside) ends.add(at + 1);
  }
  return ends;
}

function refuse(reason: string): TemplateReading {
  return { ok: false, reason };
}
