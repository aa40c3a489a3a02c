/**
 * Results as the XML that build servers read. Names and messages may hold anything, so what XML cannot
 * carry is replaced.
 */
import type { CaseResult } from "./test-stack.ts";

/** The report of all files. */
export function junitOf(results: readonly CaseResult[]): string {
  const files = [...new Set(results.map(({ file }) => file))];
  const suites = files.map((file) =>
    suiteOf(
      file,
      results.filter((one) => one.file === file),
    ),
  );
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${countsOf(results)}>`,
    ...suites,
    "</testsuites>",
  ];
  return `${lines.join("\n")}\n`;
}

function suiteOf(file: string, results: readonly CaseResult[]): string {
  const cases = results.map(caseOf).join("\n");
  return `  <testsuite name="${escaped(file)}" ${countsOf(results)}>\n${cases}\n  </testsuite>`;
}

function caseOf({ file, name, differences, layers }: CaseResult): string {
  const about = `    <testcase classname="${escaped(file)}" name="${escaped(name)}"`;
  if (differences.length === 0) return `${about}/>`;
  const said = layers.map(({ layer, said }) => `${layer}: ${said.join("; ")}`).join("\n");
  const message = escaped(differences.join("; "));
  return `${about}>\n      <failure message="${message}">${escaped(said)}</failure>\n    </testcase>`;
}

function countsOf(results: readonly CaseResult[]): string {
  const failures = results.filter(({ outcome }) => outcome === "fail").length;
  return `tests="${results.length}" failures="${failures}"`;
}

const names: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd")
    .replace(/[&<>"]/g, (character) => names[character] ?? character);
}
