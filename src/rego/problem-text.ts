/**
 * How problems of a policy are written for people: as compilers do, so that editors find the place.
 */
import type { RegoProblem } from "./answers.ts";

/** `file:row:col: message [code]`, with `folder` before the file, and OPA's details below. */
export function problemText(problem: RegoProblem, folder = ""): string {
  const prefix = folder === "" ? "" : `${folder.replace(/\/+$/, "")}/`;
  const place = problem.row > 0 ? `${prefix}${problem.file}:${problem.row}:${problem.col}` : folder;
  const head = `${place === "" ? "" : `${place}: `}${problem.message} [${problem.code}]`;
  return [head, ...problem.details.map((line) => `  ${line}`)].join("\n");
}
