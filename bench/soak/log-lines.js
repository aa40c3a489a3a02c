/**
 * What a gateway logged, counted: its lines are one JSON object each, with pino's levels.
 */

const errorLevel = 50;

/**
 * @typedef {{ errors: number, byMessage: ReadonlyMap<string, number> }} LogLines
 */

/**
 * A line that is no JSON is what a process says that fell over, so it counts as an error.
 *
 * @param {string} text
 * @returns {LogLines}
 */
export function countLines(text) {
  /** @type {Map<string, number>} */
  const byMessage = new Map();
  let errors = 0;
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("listening on ")) continue;
    const { isError, message } = readLine(line);
    if (isError) errors += 1;
    byMessage.set(message, (byMessage.get(message) ?? 0) + 1);
  }
  return { errors, byMessage };
}

/** @param {string} line */
function readLine(line) {
  try {
    const { level, msg, server = "", reason = "", code = "" } = JSON.parse(line);
    const message = [msg, server, code, reason].filter((part) => part !== "").join(" · ");
    return { isError: level >= errorLevel || level === "error", message };
  } catch {
    return { isError: true, message: line };
  }
}
