/**
 * Runs a policy's own tests before it is pushed: what fails here would be refused by every gateway
 * that pulls it.
 */
import { BundleError } from "../../bundle/bundle-error.ts";
import type { TestReport } from "../../bundle/publish/test-report.ts";
import { gatewayVersion } from "../../contract/version.ts";
import type { PolicySources, RegoToolchain } from "../../rego/create-rego-toolchain.ts";

const maxShown = 5;

/**
 * Runs the tests and reports.
 *
 * @param where - for messages
 * @param isTested - false runs none, which the report then says
 * @throws BundleError `bundle_tests_failed`
 */
export async function testBeforePush(
  toolchain: Pick<RegoToolchain, "test" | "version">,
  sources: PolicySources & { readonly modules: Readonly<Record<string, string>> },
  where: string,
  isTested: boolean,
): Promise<TestReport> {
  const { opa_version: opa } = await toolchain.version();
  const about = { toolchain: { mcp_gateway: gatewayVersion, opa } };
  const nothing = { tests: [], coverage_percent: null, ...about };
  if (!isTested) return { outcome: "not_run", ...nothing };
  if (!Object.keys(sources.modules).some((name) => name.endsWith("_test.rego"))) {
    return { outcome: "no_tests", ...nothing };
  }
  const tested = await toolchain.test(sources);
  if (!tested.ok) {
    const { problemText } = await import("../../rego/problem-text.ts");
    throw failed(where, tested.problems.map((problem) => problemText(problem)).join("\n"));
  }
  const { tests, coverage } = tested.value;
  const names = tests.map((one) => ({ ...one, name: `${one.package}.${one.name}` }));
  const wrong = names.filter(({ outcome }) => outcome === "fail" || outcome === "error");
  if (wrong.length > 0) throw failed(where, `${wrong.length} that fail: ${shown(wrong)}`);
  if (names.length === 0) return { outcome: "no_tests", ...nothing };
  return { outcome: "passed", tests: names, coverage_percent: coverage.percent, ...about };
}

function shown(tests: readonly { readonly name: string }[]): string {
  const names = tests.slice(0, maxShown).map(({ name }) => name);
  const more = tests.length > maxShown ? ` and ${tests.length - maxShown} more` : "";
  return `${names.join(", ")}${more}`;
}

function failed(where: string, found: string): BundleError {
  return new BundleError(
    "bundle_tests_failed",
    `${where}: expected its own tests to pass, found ${found}; nothing was pushed (--no-test pushes it untested, and says so)`,
  );
}
