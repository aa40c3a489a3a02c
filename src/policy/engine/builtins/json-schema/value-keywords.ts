/**
 * Keywords that look at a value alone: its type, what it equals, numbers and strings.
 */
import type { OpaValue } from "../../opa-value.ts";
import { unusable } from "../../schema/schema-error.ts";
import { compilePattern } from "../compile-pattern.ts";
import type { Decimal } from "../decimal.ts";
import { compareDecimals, readDecimal } from "../decimal.ts";
import { formats } from "./formats.ts";
import { plainText } from "./plain-text.ts";
import { fail } from "./schema-check.ts";
import type { Check } from "./schema-check.ts";
import type { Keyword } from "./schema-subject.ts";
import { booleanIn, countIn, listIn, numberIn, textIn } from "./schema-subject.ts";

const types = ["array", "boolean", "integer", "number", "null", "object", "string"];
/** As the validator in OPA lists them. */
const typeList = "[array boolean integer number null object string]";
/** Exponents beyond this are not divided out. */
const maxScale = 10_000;

export const type: Keyword = (value) => {
  const wanted = (value.kind === "array" ? value.items : [value]).map((each) =>
    textIn(each, "type"),
  );
  for (const [place, name] of wanted.entries()) {
    if (!types.includes(name)) {
      throw unusable(
        `has a primitive type that is NOT VALID -- given: /${name}/ Expected valid values are:${typeList}`,
      );
    }
    if (wanted.indexOf(name) !== place) throw unusable(`${name} type is duplicated`);
  }
  const expected = wanted.length === 1 ? wanted[0] : `[${wanted.join(",")}]`;
  return (instance, visit) => {
    const given = typeOf(instance);
    if (wanted.length === 0 || wanted.includes(given)) return;
    if (given === "integer" && wanted.includes("number")) return;
    fail(visit, "invalid_type", `Invalid type. Expected: ${expected}, given: ${given}`);
  };
};

export const constant: Keyword = (value) => {
  const wanted = plainText(value);
  return (instance, visit) => {
    if (plainText(instance) !== wanted) {
      fail(visit, "const", `${visit.field} does not match: ${wanted}`);
    }
  };
};

export const enumeration: Keyword = (value, _, name) => {
  const wanted = listIn(value, name).map(plainText);
  if (new Set(wanted).size < wanted.length) throw unusable("enum items must be unique");
  return (instance, visit) => {
    if (wanted.includes(plainText(instance))) return;
    fail(visit, "enum", `${visit.field} must be one of the following: ${wanted.join(", ")}`);
  };
};

export const format: Keyword = (value, _, name) => {
  const wanted = textIn(value, name);
  const isFormat = formats.get(wanted);
  return (
    isFormat &&
    onText((text, visit) => {
      if (!isFormat(text)) fail(visit, "format", `Does not match format '${wanted}'`);
    })
  );
};

export const pattern: Keyword = (value, _, name) => {
  const source = textIn(value, name);
  const compiled = compilePattern(source);
  if (compiled === undefined) throw unusable("pattern must be a valid regex");
  return onText((text, visit) => {
    if (!compiled.matcher(text).find()) {
      fail(visit, "pattern", `Does not match pattern '${source}'`);
    }
  });
};

export const minLength: Keyword = (value, subject, name) => {
  const least = countIn(value, name);
  const most = subject.get("maxLength");
  if (most !== undefined && least > countIn(most, "maxLength")) {
    throw unusable("minLength cannot be greater than maxLength");
  }
  return onText((text, visit) => {
    if (Array.from(text).length >= least) return;
    fail(visit, "string_gte", `String length must be greater than or equal to ${least}`);
  });
};

export const maxLength: Keyword = (value, _, name) => {
  const most = countIn(value, name);
  return onText((text, visit) => {
    if (Array.from(text).length <= most) return;
    fail(visit, "string_lte", `String length must be less than or equal to ${most}`);
  });
};

export const multipleOf: Keyword = (value, _, name) => {
  const unit = numberIn(value, name);
  if (unit.mantissa <= 0n) throw unusable("multipleOf must be strictly greater than 0");
  return onNumber((number, visit) => {
    if (!isMultiple(number, unit)) {
      fail(visit, "multiple_of", `Must be a multiple of ${plainText(value)}`);
    }
  });
};

export const minimum: Keyword = (value, subject, name) => {
  const isStrict = isExclusive(subject.get("exclusiveMinimum"));
  return bound(value, name, isStrict ? { sign: 1, isStrict } : { sign: 1 });
};

export const maximum: Keyword = (value, subject, name) => {
  const isStrict = isExclusive(subject.get("exclusiveMaximum"));
  return bound(value, name, isStrict ? { sign: -1, isStrict } : { sign: -1 });
};

/** A number of its own, or in older drafts a word about `minimum`. */
export const exclusiveMinimum: Keyword = (value, subject, name) => {
  if (value.kind === "number") return bound(value, name, { sign: 1, isStrict: true });
  return wordAbout("minimum", subject.get("minimum"), value, name);
};

export const exclusiveMaximum: Keyword = (value, subject, name) => {
  if (value.kind === "number") return bound(value, name, { sign: -1, isStrict: true });
  return wordAbout("maximum", subject.get("maximum"), value, name);
};

function wordAbout(
  bounded: string,
  isThere: OpaValue | undefined,
  value: OpaValue,
  name: string,
): undefined {
  booleanIn(value, name);
  if (isThere === undefined) throw unusable(`${name} cannot be used without ${bounded}`);
}

function isExclusive(word: OpaValue | undefined): boolean {
  return word?.kind === "boolean" && word.text === "true";
}

/** `sign` 1 for a least value, -1 for a greatest. */
function bound(
  value: OpaValue,
  name: string,
  { sign, isStrict = false }: { readonly sign: 1 | -1; readonly isStrict?: boolean },
): Check {
  const limit = numberIn(value, name);
  const [than, code] = sign === 1 ? ["greater", "g"] : ["less", "l"];
  const words = `Must be ${than} than ${isStrict ? "" : "or equal to "}${plainText(value)}`;
  return onNumber((number, visit) => {
    const order = compareDecimals(number, limit) * sign;
    if (order > 0 || (order === 0 && !isStrict)) return;
    fail(visit, `number_${code}t${isStrict ? "" : "e"}`, words);
  });
}

function isMultiple(number: Decimal, unit: Decimal): boolean {
  const scale = Math.min(number.exponent, unit.exponent);
  const [top, bottom] = [number.exponent - scale, unit.exponent - scale];
  if (top > maxScale || bottom > maxScale) {
    throw new Error("expected multipleOf and the number to be of like size");
  }
  return (number.mantissa * 10n ** BigInt(top)) % (unit.mantissa * 10n ** BigInt(bottom)) === 0n;
}

function typeOf(value: OpaValue): string {
  if (value.kind !== "number") return value.kind;
  return readDecimal(value.text).exponent >= 0 ? "integer" : "number";
}

function onText(check: (text: string, visit: Parameters<Check>[1]) => void): Check {
  return (instance, visit) => {
    if (instance.kind === "string") check(instance.value, visit);
  };
}

function onNumber(check: (number: Decimal, visit: Parameters<Check>[1]) => void): Check {
  return (instance, visit) => {
    if (instance.kind === "number") check(readDecimal(instance.text), visit);
  };
}
