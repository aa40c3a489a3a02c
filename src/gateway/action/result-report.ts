/**
 * What became of a result between server and client, for its outcome record.
 */
import type { ObligationDone } from "../../contract/record.ts";

export interface ResultReport {
  /** False where the client gets something else in its place. */
  readonly isShown: boolean;
  readonly obligations?: readonly ObligationDone[] | undefined;
  /** Codes; where it is not shown. */
  readonly reasons?: readonly string[] | undefined;
}
