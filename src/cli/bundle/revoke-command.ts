/**
 * `bundle revoke NAME DIGEST`: that bundle is never active again for this server or layer, whoever
 * signed it. What is held at it is held no more; a gateway whose policy it is goes back to the last
 * one before that is good, and denies where there is none.
 */
import { previousGood, reinstate, revoke } from "../../bundle/life/history-changes.ts";
import type { BundleHistory } from "../../bundle/life/bundle-history.ts";
import type { Digest } from "../../contract/bundle.ts";
import { lossOf } from "../../contract/place-role.ts";
import type { CliIo } from "../io.ts";
import type { OutputFormat } from "../print.ts";
import { requireWhy } from "../read-why.ts";
import type { PolicyWish } from "./change-policy.ts";
import { changePolicy } from "./change-policy.ts";
import { findDigest, knownDigests } from "./known-digest.ts";
import { openKeptPlace } from "./policy-place.ts";

export interface RevokeOptions {
  readonly config?: string;
  readonly output: OutputFormat;
  readonly why?: string;
  readonly undo?: boolean;
}

/** Revokes a bundle, or takes that back. */
export async function revokeCommand(
  io: CliIo,
  name: string,
  text: string,
  { config, output, why, undo = false }: RevokeOptions,
): Promise<void> {
  const reason = requireWhy(why, "a revocation");
  const place = await openKeptPlace(io, config, name);
  const { history } = place;
  const digest = findDigest(name, text, knownDigests(history));
  const isRevoked = history.revoked.some((one) => one.digest === digest);
  if (isRevoked !== undo) {
    const found = undo ? "is not revoked" : "is revoked already";
    return io.err(`${digest} ${found} for "${name}"; nothing was changed`);
  }
  const about = { digest, ...aboutBundle(history, digest), why: reason };
  const wish: PolicyWish = undo
    ? { ...about, event: "reinstated", change: (before) => reinstate(before, digest) }
    : { ...about, event: "revoked", change: revoke };
  await changePolicy(io, place, wish, output);
  io.err(undo ? `${digest} may be active for "${name}" again` : outlook(name, history, digest));
}

function aboutBundle({ active, previous, candidate }: BundleHistory, digest: Digest) {
  const entry = [active, ...previous].find((one) => one?.digest === digest);
  const known = entry ?? (candidate?.digest === digest ? candidate : undefined);
  return { revision: known?.revision ?? "", signers: entry?.signers ?? [] };
}

function outlook(name: string, history: BundleHistory, digest: Digest): string {
  const done = `${digest} is never active for "${name}" again`;
  if (history.active?.digest !== digest) return done;
  const next = previousGood(revoke(history, { digest, at: "", by: "", why: null }));
  return next === undefined
    ? `${done}; it was the only good one, so ${lossOf(name)} until its source has another`
    : `${done}; a running gateway goes back to revision "${next.revision}" (${next.digest})`;
}
