/**
 * How much the spool may take before it fails closed.
 */
import type { SpoolFileSystem } from "./file-system.ts";
import { DecisionError } from "../decision-error.ts";

export interface SpoolLimits {
  /** Bytes not yet shipped to Postgres; in embedded mode the spool is kept and this is no limit. */
  readonly spoolMaxBytes: number;
  /** Free disk that the spool leaves to others. */
  readonly minFreeBytes: number;
  /** A segment that would grow past this is sealed and the next one begins. */
  readonly segmentMaxBytes: number;
  /** A single record larger than this is refused. */
  readonly recordMaxBytes: number;
}

/** What nobody configures. */
export const defaultSpoolLimits: Omit<SpoolLimits, "spoolMaxBytes"> = {
  minFreeBytes: 32 * 1024 ** 2,
  segmentMaxBytes: 16 * 1024 ** 2,
  recordMaxBytes: 64 * 1024 ** 2,
};

/** Bytes that may be written between two looks at the free disk. */
const freeCheckBytes = 4 * 1024 ** 2;

/** Watches the disk under the spool without asking it before each commit. */
export class DiskRoom {
  readonly #files: SpoolFileSystem;
  readonly #folder: string;
  readonly #minFreeBytes: number;
  #uncheckedBytes = Number.POSITIVE_INFINITY;

  constructor(files: SpoolFileSystem, folder: string, minFreeBytes: number) {
    this.#files = files;
    this.#folder = folder;
    this.#minFreeBytes = minFreeBytes;
  }

  /** Throws `audit_unavailable` where `bytes` more would leave too little free disk. */
  async reserve(bytes: number): Promise<void> {
    this.#uncheckedBytes += bytes;
    if (this.#uncheckedBytes < freeCheckBytes) return;
    const free = await this.#files.freeBytes(this.#folder);
    if (free - bytes < this.#minFreeBytes) throw diskFull(this.#folder, free, this.#minFreeBytes);
    this.#uncheckedBytes = 0;
  }
}

function diskFull(folder: string, free: number, minFree: number): DecisionError {
  return new DecisionError(
    "audit_unavailable",
    `expected at least ${minFree} bytes of free disk under ${folder} for the decision record, found ${free}: free some space; calls go on by themselves`,
  );
}

/** The error of a spool whose unshipped bytes reached `decisions.spool_max_bytes`. */
export function spoolFull(unshippedBytes: number, maxBytes: number): DecisionError {
  return new DecisionError(
    "audit_unavailable",
    `expected at most ${maxBytes} bytes in the spool that are not yet in postgres, found ${unshippedBytes}: bring the server of decisions.store back; calls go on by themselves`,
  );
}
