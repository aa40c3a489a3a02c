/**
 * Two runs of the same scenarios, check by check: what became worse, what became better, and which
 * scored verdict differs. Pure; what it returns decides over the exit code.
 */

/**
 * @typedef {import("./suite.js").Check} Check
 * @typedef {"same" | "worse" | "better" | "other"} Change
 * @typedef {{ scenario: string, id: string, name: string, direct: string, gateway: string,
 *   change: Change, scored: boolean, allowed: boolean, message: string }} Difference
 * @typedef {{ scenario: string, scored: boolean, direct: string, gateway: string }} Row
 * @typedef {{ rows: Row[], differences: Difference[] }} Comparison
 */

const absent = "absent";
const severity = ["INFO", "SKIPPED", "SUCCESS", absent, "WARNING", "FAILURE"];

/**
 * Differences that are right, each with the reason.
 *
 * @type {readonly { scenario: string, id: string, why: string }[]}
 */
const allowedDifferences = [
  {
    scenario: "server-sse-polling",
    id: "*",
    why: "the gateway resumes upstream streams itself and answers on the stream that is open",
  },
  {
    scenario: "server-sse-multiple-streams",
    id: "server-sse-streams-functional",
    why: "a list may be answered as JSON, which the suite notes as INFO",
  },
];

/**
 * Compares the checks of one requirement set.
 *
 * @param {{ direct: readonly Check[], gateway: readonly Check[], scored: readonly string[] }} runs
 * @returns {Comparison}
 */
export function compareRuns({ direct, gateway, scored }) {
  const isScored = new Set(scored);
  const before = worstOf(direct);
  const after = worstOf(gateway);
  const scenarios = [...new Set([...direct, ...gateway].map(({ scenario }) => scenario))];
  const rows = scenarios.map((scenario) => ({
    scenario,
    scored: isScored.has(scenario),
    direct: verdictOf(direct, scenario),
    gateway: verdictOf(gateway, scenario),
  }));
  const keys = [...new Set([...before.keys(), ...after.keys()])];
  const differences = keys.flatMap((key) => {
    const difference = differenceOf(before.get(key), after.get(key), isScored);
    return difference === undefined ? [] : [difference];
  });
  return { rows, differences };
}

/**
 * @param {Check | undefined} was
 * @param {Check | undefined} is
 * @param {ReadonlySet<string>} isScored
 * @returns {Difference | undefined}
 */
function differenceOf(was, is, isScored) {
  const known = was ?? is;
  if (known === undefined || was?.status === is?.status) return undefined;
  const { scenario, id, name } = known;
  const direct = was?.status ?? absent;
  const gateway = is?.status ?? absent;
  return {
    scenario,
    id,
    name,
    direct,
    gateway,
    change: changeOf(direct, gateway),
    scored: isScored.has(scenario),
    allowed: isAllowed(scenario, id, gateway),
    message: is?.message ?? "",
  };
}

/**
 * The differences for which a run has failed: where the fixture can do the set, every scored one and
 * every new failure; where it cannot (`onlyWorse`), what was right before and is not any more.
 *
 * @param {Comparison} comparison
 * @param {{ onlyWorse: boolean }} rule
 * @returns {Difference[]}
 */
export function offences({ differences }, { onlyWorse }) {
  return differences.filter(({ allowed, change, direct, gateway, scored }) => {
    if (allowed) return false;
    if (onlyWorse) return scored && change === "worse" && direct !== absent;
    return scored || (change === "worse" && gateway === "FAILURE");
  });
}

/**
 * `passed/failed` of a scenario, with its warnings.
 *
 * @param {readonly Check[]} checks
 * @param {string} scenario
 * @returns {string}
 */
export function verdictOf(checks, scenario) {
  const own = checks.filter((check) => check.scenario === scenario);
  if (own.length === 0) return absent;
  const count = (/** @type {string} */ status) =>
    own.filter((check) => check.status === status).length;
  const warnings = count("WARNING");
  const sign = count("FAILURE") > 0 ? "fail" : "pass";
  return `${sign} ${count("SUCCESS")}/${count("FAILURE")}${warnings > 0 ? ` ${warnings}w` : ""}`;
}

/**
 * A check may be made several times: the worst counts.
 *
 * @param {readonly Check[]} checks
 * @returns {Map<string, Check>}
 */
function worstOf(checks) {
  /** @type {Map<string, Check>} */
  const worst = new Map();
  for (const check of checks) {
    const key = JSON.stringify([check.scenario, check.id, check.name]);
    const known = worst.get(key);
    if (known === undefined || rank(check.status) > rank(known.status)) worst.set(key, check);
  }
  return worst;
}

/** @param {string} status */
function rank(status) {
  const found = severity.indexOf(status);
  return found === -1 ? severity.length : found;
}

/**
 * @param {string} from
 * @param {string} to
 * @returns {Change}
 */
function changeOf(from, to) {
  if (rank(from) < rank(absent) && rank(to) < rank(absent)) return "other";
  return rank(to) > rank(from) ? "worse" : "better";
}

/**
 * @param {string} scenario
 * @param {string} id
 * @param {string} gateway
 */
function isAllowed(scenario, id, gateway) {
  if (gateway !== "INFO" && gateway !== absent) return false;
  return allowedDifferences.some(
    (entry) => entry.scenario === scenario && (entry.id === "*" || entry.id === id),
  );
}
