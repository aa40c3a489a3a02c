/**
 * Results as the XML that build servers read. Names and messages may hold anything, so what XML cannot
 * carry is replaced.
 */
import { escapeXml } from "../../escape-xml.ts";
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
  return `  <testsuite name="${escapeXml(file)}" ${countsOf(results)}>\n${cases}\n  </testsuite>`;
}

function caseOf({ file, name, differences, layers }: CaseResult): string {
  const about = `    <testcase classname="${escapeXml(file)}" name="${escapeXml(name)}"`;
  if (differences.length === 0) return `${about}/>`;
  const said = layers.map(({ layer, said }) => `${layer}: ${said.join("; ")}`).join("\n");
  const message = escapeXml(differences.join("; "));
  return `${about}>\n      <failure message="${message}">${escapeXml(said)}</failure>\n    </testcase>`;
}

function countsOf(results: readonly CaseResult[]): string {
  const failures = results.filter(({ outcome }) => outcome === "fail").length;
  return `tests="${results.length}" failures="${failures}"`;
}
