/**
 * Go's format strings: finds verbs with their flags, indexes, width and precision, and gives each
 * its operand. What is wrong with a format is written into the text, as `fmt.Sprintf` does.
 */
import type { GoFlags, GoOperand } from "./go-operand.ts";
import { goPrint } from "./go-print.ts";

interface Scan {
  readonly format: string;
  readonly operands: readonly GoOperand[];
  offset: number;
  next: number;
  /** An explicit index was used somewhere: superfluous operands are not reported then. */
  isReordered: boolean;
  isGoodIndex: boolean;
  /** The last thing read was an index. */
  afterIndex: boolean;
  notes: string;
}

type Mutable<Flags> = { -readonly [Name in keyof Flags]: Flags[Name] };

const maxNumber = 1_000_000;
/** Each verb may be a million characters wide; together they may be this long. */
const maxTextLength = 8 * 1024 * 1024;
const flagLetters = new Map<string, "sharp" | "zero" | "plus" | "minus" | "space">([
  ["#", "sharp"],
  ["0", "zero"],
  ["+", "plus"],
  ["-", "minus"],
  [" ", "space"],
]);

/**
 * `fmt.Sprintf(format, operands...)`.
 *
 * @throws Error for a text that is too long.
 */
export function goFormat(format: string, operands: readonly GoOperand[]): string {
  const scan: Scan = {
    format,
    operands,
    offset: 0,
    next: 0,
    isReordered: false,
    isGoodIndex: true,
    afterIndex: false,
    notes: "",
  };
  let text = "";
  while (scan.offset < format.length) {
    const start = format.indexOf("%", scan.offset);
    if (start < 0) return text + format.slice(scan.offset) + extraOf(scan);
    text += format.slice(scan.offset, start);
    scan.offset = start + 1;
    text += formatVerb(scan);
    if (text.length > maxTextLength) throw tooLong();
  }
  return text + extraOf(scan);
}

function tooLong(): Error {
  return new Error(`expected a formatted text of at most ${maxTextLength} characters, found more`);
}

function formatVerb(scan: Scan): string {
  Object.assign(scan, { isGoodIndex: true, notes: "" });
  const flags = readFlags(scan);
  readIndex(scan);
  readWidth(scan, flags);
  readPrecision(scan, flags);
  if (!scan.afterIndex) readIndex(scan);
  const code = scan.format.codePointAt(scan.offset);
  if (code === undefined) return `${scan.notes}%!(NOVERB)`;
  const verb = String.fromCodePoint(code);
  scan.offset += verb.length;
  return scan.notes + printVerb(scan, verb, flags);
}

function printVerb(scan: Scan, verb: string, flags: GoFlags): string {
  if (verb === "%") return "%";
  if (!scan.isGoodIndex) return `%!${verb}(BADINDEX)`;
  const operand = scan.operands[scan.next];
  if (operand === undefined) return `%!${verb}(MISSING)`;
  scan.next += 1;
  if (verb !== "v" && verb !== "w") return goPrint(operand, verb, flags);
  const isBig = operand.type === "*big.Int";
  const asSource = { ...flags, sharpV: flags.sharp, sharp: false, plus: isBig && flags.plus };
  return goPrint(operand, verb, asSource);
}

function extraOf({ operands, next, isReordered }: Scan): string {
  if (isReordered || next >= operands.length) return "";
  const extra = operands.slice(next).map((each) => `${each.type}=${goPrint(each, "v", noFlags())}`);
  return `%!(EXTRA ${extra.join(", ")})`;
}

function readFlags(scan: Scan): Mutable<GoFlags> {
  const flags = noFlags();
  for (;;) {
    const flag = flagLetters.get(scan.format[scan.offset] ?? "");
    if (flag === undefined) return flags;
    flags[flag] = true;
    scan.offset += 1;
  }
}

function noFlags(): Mutable<GoFlags> {
  return {
    plus: false,
    minus: false,
    sharp: false,
    space: false,
    zero: false,
    sharpV: false,
    width: 0,
    precision: undefined,
  };
}

function readWidth(scan: Scan, flags: Mutable<GoFlags>): void {
  if (scan.format[scan.offset] === "*") {
    const width = takeNumber(scan);
    if (width === undefined) scan.notes += "%!(BADWIDTH)";
    flags.width = Math.abs(width ?? 0);
    if (width !== undefined && width < 0) Object.assign(flags, { minus: true, zero: false });
    return;
  }
  const width = readNumber(scan);
  flags.width = width ?? 0;
  if (scan.afterIndex && width !== undefined) scan.isGoodIndex = false;
}

function readPrecision(scan: Scan, flags: Mutable<GoFlags>): void {
  if (scan.format[scan.offset] !== "." || scan.offset + 1 >= scan.format.length) return;
  scan.offset += 1;
  if (scan.afterIndex) scan.isGoodIndex = false;
  readIndex(scan);
  if (scan.format[scan.offset] !== "*") {
    flags.precision = readNumber(scan) ?? 0;
    return;
  }
  const precision = takeNumber(scan);
  flags.precision = precision !== undefined && precision >= 0 ? precision : undefined;
  if (flags.precision === undefined) scan.notes += "%!(BADPREC)";
}

/** Takes the operand that a `*` stands for; undefined where it is no number that Go accepts. */
function takeNumber(scan: Scan): number | undefined {
  scan.offset += 1;
  scan.afterIndex = false;
  const operand = scan.operands[scan.next];
  if (operand === undefined) return undefined;
  scan.next += 1;
  if (operand.type !== "int64") return undefined;
  const value = Number(operand.value);
  return Math.abs(value) > maxNumber ? undefined : value;
}

/** Reads `[n]` and makes that operand the next; a bad one is reported with the verb. */
function readIndex(scan: Scan): void {
  scan.afterIndex = false;
  if (scan.format[scan.offset] !== "[") return;
  scan.isReordered = true;
  const close = scan.format.indexOf("]", scan.offset + 1);
  if (close < 0) {
    scan.isGoodIndex = false;
    scan.offset += 1;
    return;
  }
  const digits = scan.format.slice(scan.offset + 1, close);
  scan.offset = close + 1;
  const index = /^\d+$/u.test(digits) ? numberOf(digits) : undefined;
  scan.afterIndex = index !== undefined;
  if (index === undefined || index < 1 || index > scan.operands.length) scan.isGoodIndex = false;
  else scan.next = index - 1;
}

/** Reads digits; a number too long for Go ends the format, as it does there. */
function readNumber(scan: Scan): number | undefined {
  const digits = /^\d*/u.exec(scan.format.slice(scan.offset))?.[0] ?? "";
  if (digits === "") return undefined;
  scan.offset += digits.length;
  const number = numberOf(digits);
  if (number === undefined) scan.offset = scan.format.length;
  return number;
}

/** Go gives up at the digit after a million, not at a million. */
function numberOf(digits: string): number | undefined {
  return Number(digits.slice(0, -1)) > maxNumber ? undefined : Number(digits);
}
