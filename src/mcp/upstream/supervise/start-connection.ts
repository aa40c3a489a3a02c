/**
 * One start of one connection, under its deadline. Whoever waits for it hears of the deadline at
 * once; what the start leaves behind is closed, and `cleared` tells when that is done.
 */
import { codeOf, messageOf } from "../../../errors.ts";
import type { UpstreamConnection, UpstreamFailure } from "../upstream-connection.ts";

export interface StartOptions {
  /** Of the predecessor; two servers of one key never run side by side. */
  readonly after: Promise<void> | undefined;
  readonly timeoutMs: number;
  readonly connect: (signal: AbortSignal) => Promise<UpstreamConnection>;
}

export type StartOutcome =
  | { readonly kind: "started"; readonly connection: UpstreamConnection }
  | NotStarted;

export interface NotStarted {
  readonly kind: "not_started";
  readonly code: UpstreamFailure;
  /** Code of the error itself, for the status. */
  readonly cause: string;
  readonly message: string;
  readonly isServerFault: boolean;
}

export interface Start {
  readonly outcome: Promise<StartOutcome>;
  /** Settles when the start has run its course and nothing of an unwanted connection is left. */
  readonly cleared: Promise<void>;
  readonly abort: () => void;
}

/** Starts; `outcome` never rejects. */
export function startConnection(options: StartOptions): Start {
  const controller = new AbortController();
  let settle = (_outcome: StartOutcome): void => {};
  let isSettled = false;
  const outcome = new Promise<StartOutcome>((resolve) => {
    settle = (found) => {
      isSettled = true;
      clearTimeout(timer);
      resolve(found);
    };
  });
  const giveUp = (found: NotStarted): void => {
    if (isSettled) return;
    settle(found);
    controller.abort();
  };
  const timer = setTimeout(() => giveUp(tooSlow(options.timeoutMs)), options.timeoutMs);
  const cleared = run(options, controller.signal).then(async (found) => {
    if (!isSettled) settle(found);
    else if (found.kind === "started") await found.connection.close();
  });
  return { outcome, cleared, abort: () => giveUp(takenBack) };
}

async function run(options: StartOptions, signal: AbortSignal): Promise<StartOutcome> {
  try {
    if (options.after !== undefined) await options.after;
    if (signal.aborted) return takenBack;
    return { kind: "started", connection: await options.connect(signal) };
  } catch (thrown) {
    return whyNot(thrown);
  }
}

function whyNot(thrown: unknown): NotStarted {
  const cause = codeOf(thrown) ?? "upstream_unavailable";
  const isUnauthorized = cause === "upstream_unauthorized";
  return {
    kind: "not_started",
    code: isUnauthorized ? cause : "upstream_unavailable",
    cause,
    message: messageOf(thrown),
    isServerFault: !isUnauthorized,
  };
}

function tooSlow(timeoutMs: number): NotStarted {
  return {
    kind: "not_started",
    code: "upstream_unavailable",
    cause: "upstream_start_failed",
    message: `it did not start within ${timeoutMs} ms`,
    isServerFault: true,
  };
}

const takenBack: NotStarted = {
  kind: "not_started",
  code: "cancelled",
  cause: "cancelled",
  message: "its start was taken back",
  isServerFault: false,
};
