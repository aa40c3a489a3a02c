/**
 * What has to end with the process of a test file, though no hook of the file ran: where all of its
 * tests are left out none does, and the process is ended by a signal.
 */
import process from "node:process";

process.once("SIGTERM", () => process.exit());

/** Calls `end` once when the process of this test file ends; what it begins is not waited for. */
export function whenWorkerEnds(end: () => void): void {
  process.on("exit", end);
}
