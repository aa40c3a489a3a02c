/**
 * `decision explain ID`: one decision in words, for somebody who reads no Rego.
 */
import { approvalSteps } from "../../decision/store/approval-steps.ts";
import { getDecision } from "../../decision/store/query-decisions.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";
import type { OutputFormat } from "../print.ts";
import { printDocument } from "../print.ts";
import { printable } from "../printable.ts";
import { explainDecision } from "./explain-decision.ts";
import { readExplained } from "./explained-record.ts";
import { withStore } from "./with-store.ts";

export interface ExplainOptions {
  readonly config?: string;
  readonly output: OutputFormat;
}

/** Prints the sentences; `-o json` has them as a list. */
export async function explainCommand(
  io: CliIo,
  id: string,
  { config, output }: ExplainOptions,
): Promise<void> {
  const { decision, steps } = await withStore(io, config, async (store) => {
    const found = await getDecision(store, id);
    return { decision: found, steps: await approvalSteps(store, found.decision_id) };
  });
  const record = readExplained(decision.admission);
  if (record === undefined) {
    const message = `decision ${decision.decision_id} has no record to explain any more: it was pruned`;
    throw new CliError(exitCodes.unexpected, message);
  }
  const { decision_id, outcome } = decision;
  const lines = explainDecision({ ...record, decision_id, outcome, steps });
  if (output !== "table") return printDocument(io, output, { decision_id, explanation: lines });
  for (const line of lines) io.out(printable(line));
}
