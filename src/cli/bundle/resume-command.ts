/**
 * `bundle resume NAME`: its source decides again, and a canary that was aborted is tried again. A
 * bundle that was revoked stays revoked.
 */
import { abortOf, resume } from "../../bundle/life/history-changes.ts";
import type { CliIo } from "../io.ts";
import type { OutputFormat } from "../print.ts";
import { readWhy } from "../read-why.ts";
import { changePolicy } from "./change-policy.ts";
import { openKeptPlace } from "./policy-place.ts";

export interface ResumeOptions {
  readonly config?: string;
  readonly output: OutputFormat;
  readonly why?: string;
}

/** Ends hold and abort of a source; nothing is changed where there is neither. */
export async function resumeCommand(
  io: CliIo,
  name: string,
  { config, output, why }: ResumeOptions,
): Promise<void> {
  const reason = readWhy(why, "a resumption");
  const place = await openKeptPlace(io, config, name);
  const { hold, active, previous } = place.history;
  const aborted = abortOf(place.history);
  const { digest } = hold ?? aborted ?? {};
  if (digest === undefined) return io.err(`"${name}" is not held; nothing was changed`);
  const entry = [active, ...previous].find((one) => one?.digest === digest);
  const { revision = "", signers = [] } = entry ?? {};
  const wish = { event: "resumed", digest, revision, signers, why: reason } as const;
  await changePolicy(io, place, { ...wish, change: resume }, output);
  if (hold !== null) io.err(`"${name}" follows ${place.key.reference} again`);
  if (aborted !== undefined) io.err(`"${name}" is tried again`);
}
