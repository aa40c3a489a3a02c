/**
 * What the author's tests said of a bundle before it was pushed, as a document beside it. It holds
 * no time and no duration: the same sources give the same report.
 */
import * as z from "zod";
import { mediaTypes } from "../oci-document.ts";
import type { AttachedDocument } from "../attach-document.ts";

const reportSchema = z.object({
  /** `not_run` where the author left them out, `no_tests` where the bundle has none. */
  outcome: z.enum(["passed", "no_tests", "not_run"]),
  tests: z.array(z.object({ name: z.string(), outcome: z.string() })).max(100_000),
  /** Of lines; null where nothing ran. */
  coverage_percent: z.number().nullable(),
  toolchain: z.object({ mcp_gateway: z.string(), opa: z.string() }),
});

/** The report of a push. */
export type TestReport = z.infer<typeof reportSchema>;

/** The report as it is attached: tests in the order of their names. */
export function testReportDocument(report: TestReport): AttachedDocument {
  const { outcome, coverage_percent, toolchain } = report;
  const tests = report.tests
    .map(({ name, outcome: one }) => ({ name, outcome: one }))
    .toSorted((left, right) => (left.name < right.name ? -1 : Number(left.name > right.name)));
  const document = { outcome, tests, coverage_percent, toolchain };
  return {
    artifactType: mediaTypes.testReport,
    mediaType: mediaTypes.testReport,
    bytes: Buffer.from(JSON.stringify(document)),
    annotations: { "io.mcp-gateway.tests.outcome": outcome },
  };
}

/** Reads a report; `undefined` where it has another shape. */
export function parseTestReport(json: unknown): TestReport | undefined {
  return reportSchema.safeParse(json).data;
}
