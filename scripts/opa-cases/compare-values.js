/**
 * Compares JSON texts by value: numbers by all their digits, and lists that were sets without their
 * order.
 */

/** @typedef {(path: readonly string[]) => boolean} IsSet */

const token = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/gs;

/**
 * Whether the evaluation found the bindings that the case wants, in any order of the bindings.
 *
 * @param {string} wanted JSON text: a list of bindings
 * @param {string} found JSON text: a list of `{row, sets}`, `sets` being paths in `row`
 * @param {boolean} sortLists whether the order in lists means nothing either
 */
export function areSameBindings(wanted, found, sortLists) {
  /** @type {{ row: unknown, sets: unknown[][] }[]} */
  const rows = parseExactly(found);
  const paths = new Set(
    rows.flatMap(({ sets }) => sets.map((path) => pathText(path.map(keyText)))),
  );
  /** @type {IsSet} */
  const isSet = (path) => sortLists || paths.has(pathText(path));
  const ours = canonicalRows(
    rows.map(({ row }) => row),
    isSet,
  );
  return ours === canonicalRows(parseExactly(wanted), isSet);
}

/**
 * @param {readonly unknown[]} rows
 * @param {IsSet} isSet
 */
function canonicalRows(rows, isSet) {
  const texts = rows.map((row) => JSON.stringify(canonical(row, [], isSet)));
  return [...new Set(texts)].toSorted().join("\n");
}

/**
 * @param {unknown} value
 * @param {readonly string[]} path
 * @param {IsSet} isSet
 * @returns {unknown}
 */
function canonical(value, path, isSet) {
  if (Array.isArray(value)) {
    const isUnordered = isSet(path);
    // What lies in a set has no index for a path; its own lists are then unordered too.
    const below = isUnordered ? () => true : isSet;
    const items = value.map((item, index) => canonical(item, [...path, String(index)], below));
    return isUnordered ? items.toSorted(byText) : items;
  }
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([key, member]) => [
    key,
    canonical(member, [...path, key], isSet),
  ]);
  return { members: members.toSorted(byText) };
}

/**
 * JSON with each number as an object of its exact text.
 *
 * @param {string} text
 */
function parseExactly(text) {
  const marked = text.replace(token, (found) =>
    found.startsWith('"') ? found : JSON.stringify({ number: canonicalNumber(found) }),
  );
  return JSON.parse(marked);
}

/** @param {readonly string[]} path */
function pathText(path) {
  return JSON.stringify(path);
}

/**
 * A step of a path as JSON names it: an index and a key are both texts.
 *
 * @param {unknown} step
 */
function keyText(step) {
  if (typeof step === "string") return step;
  const isNumber = typeof step === "object" && step !== null && "number" in step;
  return isNumber ? plainNumber(String(step.number)) : JSON.stringify(step);
}

/** @param {string} canonicalText */
function plainNumber(canonicalText) {
  return String(Number(canonicalText));
}

/**
 * @param {unknown} left
 * @param {unknown} right
 */
function byText(left, right) {
  return JSON.stringify(left) < JSON.stringify(right) ? -1 : 1;
}

/**
 * `1.50e3` and `1500` as the same text: significant digits and a power of ten.
 *
 * @param {string} text
 */
function canonicalNumber(text) {
  const [, sign = "", whole = "", fraction = "", power = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  if (significant === "") return "0";
  const exponent = Number(power) - fraction.length + (digits.length - significant.length);
  return `${sign}${significant}e${exponent}`;
}
