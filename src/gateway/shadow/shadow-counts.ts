/**
 * How often a shadow was asked and what came of it, since its bundle came. Of one process: what
 * differed is in the record, for all of them.
 */
import type { Bundle } from "../../contract/bundle.ts";
import type { ShadowDifference } from "../../contract/shadow-record.ts";

/** As it is shown; JSON, snake_case. */
export interface ShadowStanding {
  /** `compliance~shadow`. */
  readonly name: string;
  /** The policy it stands beside. */
  readonly beside: string;
  /** `null`: there is no bundle, and nothing is compared. */
  readonly revision: string | null;
  readonly digest: string | null;
  readonly evaluated: number;
  /** Evaluations that came to something else, errors among them. */
  readonly different: number;
  readonly errors: number;
  /** Decisions that were not put before it: it was too slow, or the set changed meanwhile. */
  readonly dropped: number;
  /** By name; those that never happened are left out. */
  readonly differences: Readonly<Record<string, number>>;
}

/** Counters of one shadow. */
export class ShadowCounts {
  #digest: string | undefined;
  #evaluated = 0;
  #dropped = 0;
  readonly #differences = new Map<ShadowDifference, number>();

  /** Another bundle begins anew. */
  begin(bundle: Pick<Bundle, "digest"> | undefined): void {
    if (bundle?.digest === this.#digest) return;
    this.#digest = bundle?.digest;
    this.#evaluated = 0;
    this.#dropped = 0;
    this.#differences.clear();
  }

  evaluated(difference: ShadowDifference | undefined): void {
    this.#evaluated += 1;
    if (difference === undefined) return;
    this.#differences.set(difference, (this.#differences.get(difference) ?? 0) + 1);
  }

  dropped(): void {
    this.#dropped += 1;
  }

  standing(
    place: Pick<ShadowStanding, "name" | "beside">,
    bundle: Pick<Bundle, "revision" | "digest"> | undefined,
  ): ShadowStanding {
    const differences = Object.fromEntries(this.#differences);
    return {
      ...place,
      revision: bundle?.revision ?? null,
      digest: bundle?.digest ?? null,
      evaluated: this.#evaluated,
      different: Object.values(differences).reduce((sum, count) => sum + count, 0),
      errors: this.#differences.get("error") ?? 0,
      dropped: this.#dropped,
      differences,
    };
  }
}
