/**
 * What the source of a bundle has, and what becomes of it.
 */
import { messageOf } from "../../errors.ts";
import { BundleError } from "../bundle-error.ts";
import type { Polled, Version } from "../sources/bundle-source.ts";
import type { BundleHistory } from "./bundle-history.ts";
import { useLastGood } from "./follow-choice.ts";
import { isRevoked, noteCurrent, noteDownload, noteRequest } from "./history-changes.ts";
import type { Keeping } from "./keeping.ts";
import { changeNow, choiceOf, historyNow, self, timeNow } from "./keeping.ts";
import type { Use } from "./use-candidate.ts";
import { keepWaiting, refuseBundle, useBundle } from "./use-candidate.ts";

const mostQuietMs = 60_000;

/** Asks the source, and deals with what it has that is new. */
export async function followSource(keeping: Keeping): Promise<void> {
  const { deps, state, signal } = keeping;
  const polled = await poll(keeping);
  if (signal.aborted) return;
  if (polled.kind === "failed") {
    const { code, message } = polled.error;
    state.askAgainMs = polled.retryAfterMs;
    return await noteFailure(keeping, code, message);
  }
  state.askAgainMs = polled.waited ? 0 : undefined;
  state.heardMs = deps.clock.monotonicMs();
  const history = await noteHeard(keeping);
  if (polled.kind === "changed") return await take(keeping, polled.version);
  state.failures = 0;
  if (state.isWithdrawn) await useLastGood(keeping, history);
}

/** Polls are many, and mostly no news: they are written down when they are, and now and then. */
async function noteHeard(keeping: Keeping): Promise<BundleHistory> {
  const { deps, options } = keeping;
  const history = await historyNow(keeping);
  const now = timeNow(keeping);
  const { code } = noteRequest(history, now, undefined).status;
  const sinceMs = deps.clock.nowMs() - Date.parse(history.status.last_successful_request ?? "");
  const quietMs = Math.min(mostQuietMs, (options.maxStalenessMs ?? Infinity) / 4);
  if (code === history.status.code && sinceMs < quietMs) return history;
  return await changeNow(keeping, (before) => noteRequest(before, now, undefined));
}

async function poll({ options, state, signal }: Keeping): Promise<Polled> {
  try {
    return await options.source.poll(state.known, signal);
  } catch (thrown) {
    const message = `${options.key.reference}: expected an answer, found ${messageOf(thrown)}`;
    const error = new BundleError("bundle_unreachable", message, { cause: thrown });
    return { kind: "failed", error, retryAfterMs: undefined };
  }
}

async function take(keeping: Keeping, version: Version): Promise<void> {
  const { options, signal, state } = keeping;
  try {
    const fetched = await options.source.fetch(version, signal);
    try {
      const now = timeNow(keeping);
      const history = await changeNow(keeping, (before) => noteDownload(before, now));
      const use = await consider(keeping, fetched, history);
      state.failures = use === "again" ? state.failures + 1 : 0;
      if (use !== "again") state.known = version;
    } finally {
      await fetched.close();
    }
  } catch (thrown) {
    if (signal.aborted) return;
    const code = thrown instanceof BundleError ? thrown.code : "unexpected";
    await noteFailure(keeping, code, messageOf(thrown));
  }
}

async function consider(
  keeping: Keeping,
  fetched: Parameters<typeof useBundle>[1],
  history: BundleHistory,
): Promise<Use> {
  const { options, state } = keeping;
  const { digest } = fetched;
  if (digest === state.active?.digest && !state.isWithdrawn) {
    if (history.candidate !== null) await changeNow(keeping, noteCurrent);
    return "active";
  }
  if (isRevoked(history, { digest })) {
    await refuseBundle(keeping, fetched, "bundle_revoked", "it was revoked");
    return "refused";
  }
  const choice = choiceOf(keeping, history);
  const isFirst = history.active === null || history.active.digest === digest;
  const mayMove = choice === undefined ? options.activation !== "manual" || isFirst : false;
  if (!mayMove && choice?.digest !== digest) return await keepWaiting(keeping, fetched, history);
  return await useBundle(keeping, fetched, history, { by: self, why: null, kind: "new" });
}

async function noteFailure(keeping: Keeping, code: string, message: string): Promise<void> {
  const { deps, options, state } = keeping;
  state.failures += 1;
  deps.onFailure?.();
  const now = timeNow(keeping);
  await changeNow(keeping, (before) => noteRequest(before, now, { code, message }));
  const { layer } = options.key;
  deps.log.warn({ layer, code, reason: message }, "nothing new from the source of a policy");
}
