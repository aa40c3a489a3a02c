/**
 * What each part of the torture did and found, as a table, and whether all of it is as promised.
 */

/**
 * @typedef {{ name: string, loops: number, kills: number, faults: number, refused: number,
 *   acknowledged: number, lost: number, duplicated: number, revived: number, forwarded: number,
 *   unrecorded: number, broken: number, seconds: number, notes: string[] }} Part
 */

/**
 * @param {string} name
 * @returns {Part}
 */
export function createPart(name) {
  const counts = { loops: 0, kills: 0, faults: 0, refused: 0, acknowledged: 0, lost: 0 };
  const found = { duplicated: 0, revived: 0, forwarded: 0, unrecorded: 0, broken: 0, seconds: 0 };
  return { name, ...counts, ...found, notes: [] };
}

/** What must be 0, and what it means. */
const promised = /** @type {const} */ ({
  lost: "acknowledged decisions that are in no record",
  duplicated: "decisions that are there twice",
  revived: "refused decisions that are in the record all the same",
  unrecorded: "calls that reached the server without an admission record",
  broken: "chains and writers that are not whole",
});

/**
 * @param {string} name
 * @param {(part: Part) => Promise<void>} work
 * @returns {Promise<Part>}
 */
export async function runPart(name, work) {
  const part = createPart(name);
  const began = performance.now();
  try {
    await work(part);
  } catch (thrown) {
    part.broken += 1;
    part.notes.push(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
  }
  part.seconds = (performance.now() - began) / 1000;
  return part;
}

/**
 * Prints everything; true where each promise holds.
 *
 * @param {readonly Part[]} parts
 */
export function report(parts) {
  const total = createPart("all");
  for (const part of parts) {
    for (const key of numbers) total[key] += part[key];
    for (const note of part.notes) console.log(`${part.name}: ${note}`);
  }
  const rows = [...parts, total].map((part) => [
    part.name,
    ...numbers.map((key) => cell(part, key)),
  ]);
  const table = [["PART", ...numbers.map((key) => key.toUpperCase())], ...rows];
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((row) => (row[column] ?? "").length)),
  );
  for (const row of table) {
    console.log(
      row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
  }
  const wrong = Object.entries(promised).filter(([key]) => isWrong(total, key));
  for (const [key, meaning] of wrong) console.log(`FAILED: ${key}: ${meaning}`);
  return wrong.length === 0;
}

/** @type {readonly Exclude<keyof Part, "name" | "notes">[]} */
const numbers = [
  "loops",
  "kills",
  "faults",
  "refused",
  "acknowledged",
  "lost",
  "duplicated",
  "revived",
  "forwarded",
  "unrecorded",
  "broken",
  "seconds",
];

/**
 * @param {Part} part
 * @param {typeof numbers[number]} key
 */
function cell(part, key) {
  return key === "seconds" ? part.seconds.toFixed(0) : String(part[key]);
}

/**
 * @param {Part} total
 * @param {string} key
 */
function isWrong(total, key) {
  return numbers.some((known) => known === key && total[known] !== 0);
}
