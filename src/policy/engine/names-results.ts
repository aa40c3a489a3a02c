/**
 * Whether a bundle has rules about results, so that it is asked about them. It is told from its
 * sources, and rather too often than too seldom: whoever asks for `input.result` or for the phase by
 * name says the word, and a policy that nobody can read may. A rule that only leaves results out is
 * about calls.
 */
import type { Bundle } from "../../contract/bundle.ts";

const leavesOut = /\bnot\s+input\.phase\s*==\s*"result"|\binput\.phase\s*!=\s*"result"/g;
const namesResult = /\.result\b|["`]result["`]|\bphase\b\s*!=|\binput\s*\[|\bwalk\s*\(\s*input\b/;

/** True where its policy may look at what came back. */
export function namesResults({ isOpaque, sources }: Bundle): boolean {
  if (isOpaque === true) return true;
  return [...sources].some(
    ([path, text]) =>
      path.endsWith(".rego") &&
      !path.endsWith("_test.rego") &&
      namesResult.test(text.replaceAll(leavesOut, "")),
  );
}
