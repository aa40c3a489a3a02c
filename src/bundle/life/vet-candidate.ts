/**
 * The question that a new bundle of `activation: "no_new_allow"` has to pass before it is active: does
 * it allow anything that was not allowed before? Whoever answers looks at what was recorded. A bundle
 * that does, or of which nobody can say, waits for a person.
 */
import type { FetchedBundle } from "../sources/bundle-source.ts";
import type { BundleHistory } from "./bundle-history.ts";
import type { Keeping } from "./keeping.ts";

/** Why a bundle waits. */
export interface Objection {
  /** `history_unreadable` may pass by itself; the others are what was found. */
  readonly code: "newly_allows" | "history_not_replayed" | "history_unreadable";
  readonly message: string;
}

export type Vetting =
  | { readonly ok: true; readonly message: string }
  | ({ readonly ok: false } & Objection);

/** Asks about a bundle that was verified; never rejects but where it is aborted. */
export type VetBundle = (fetched: FetchedBundle, signal: AbortSignal) => Promise<Vetting>;

/** True where a bundle has to pass; the first one, and one that decides already, have not. */
export function isToBeVetted(
  { options }: Keeping,
  { digest }: FetchedBundle,
  { active }: BundleHistory,
): boolean {
  return options.activation === "no_new_allow" && active !== null && active.digest !== digest;
}

/** True where it was asked about before, and what was found stays so. */
export function wasVetted({ candidate }: BundleHistory, { digest }: FetchedBundle): boolean {
  return (
    candidate?.digest === digest &&
    candidate.state === "waiting" &&
    (candidate.code === "newly_allows" || candidate.code === "history_not_replayed")
  );
}
