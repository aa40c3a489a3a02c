/**
 * What an upstream says about a call that is still running.
 */

/** Members of a `notifications/progress` that pass; the token is mapped by whoever asked. */
export interface CallProgress {
  readonly progress: number;
  readonly total?: number;
  readonly message?: string;
}
