/**
 * The checkpoints of a folder, checked for themselves: signed by the key, each in the file of its
 * writer, one behind the other without gaps, and no writer gone that another one has seen.
 */
import type { KeyObject } from "node:crypto";
import type { Tampering } from "./chain-check.ts";
import type { Checkpoint, CheckpointStatement, StatedPlace } from "./checkpoint.ts";
import { isSignedBy, readCheckpoint } from "./checkpoint.ts";
import { listCheckpointed, readCheckpointLines } from "./checkpoint-file.ts";

export interface CheckedCheckpoints {
  /** What can be believed, by writer, in the order of the file. */
  readonly statements: ReadonlyMap<string, readonly StatedPlace[]>;
  readonly problems: readonly Tampering[];
}

/** Reads and checks all of them. */
export async function readCheckpoints(folder: string, key: KeyObject): Promise<CheckedCheckpoints> {
  const statements = new Map<string, readonly StatedPlace[]>();
  const problems: Tampering[] = [];
  const seen = new Map<string, number>();
  for (const writer of await listCheckpointed(folder)) {
    const file = new LineCheck(writer, key, seen);
    for await (const line of readCheckpointLines(folder, writer)) file.next(line);
    statements.set(writer, file.statements);
    problems.push(...file.problems);
  }
  return { statements, problems: [...problems, ...goneFiles(statements, seen)] };
}

/** The checkpoints of one writer's file. */
export function checkLines(
  writer: string,
  lines: Iterable<string>,
  key: KeyObject,
): Pick<LineCheck, "statements" | "problems"> {
  const file = new LineCheck(writer, key, new Map());
  for (const line of lines) file.next(line);
  return file;
}

/** One pass over one writer's file. */
class LineCheck {
  readonly #writer: string;
  readonly #key: KeyObject;
  readonly #seen: Map<string, number>;
  readonly #statements: StatedPlace[] = [];
  readonly #problems: Tampering[] = [];
  #index = 0;
  #before: Checkpoint | undefined;

  /** `seen`: the last places of writers, as all others name them. */
  constructor(writer: string, key: KeyObject, seen: Map<string, number>) {
    this.#writer = writer;
    this.#key = key;
    this.#seen = seen;
  }

  get statements(): readonly StatedPlace[] {
    return this.#statements;
  }

  get problems(): readonly Tampering[] {
    return this.#problems;
  }

  next(line: string): void {
    this.#index += 1;
    if (line === "") return;
    const checkpoint = readCheckpoint(line);
    const before = this.#before;
    const problem = problemOf(this.#writer, checkpoint, before, this.#key);
    const seq = checkpoint?.statement.seq ?? before?.statement.seq ?? 0;
    if (problem !== undefined) {
      const message = `line ${this.#index} of its checkpoints ${problem}`;
      this.#problems.push({ kind: "checkpoint", writer: this.#writer, seq, message });
    } else if (checkpoint !== undefined) this.#believe(checkpoint.statement);
    this.#before = checkpoint ?? before;
  }

  /** The rest of a statement is not kept: there is one a minute, for years. */
  #believe({ seq, link, time, final, others }: CheckpointStatement): void {
    this.#statements.push({ writer: this.#writer, seq, link, time, final });
    for (const [writer, place] of Object.entries(others)) {
      this.#seen.set(writer, Math.max(place, this.#seen.get(writer) ?? 0));
    }
  }
}

function problemOf(
  writer: string,
  checkpoint: Checkpoint | undefined,
  before: Checkpoint | undefined,
  key: KeyObject,
): string | undefined {
  if (checkpoint === undefined) return "is no checkpoint";
  const { statement } = checkpoint;
  if (!isSignedBy(checkpoint, key)) return "is not signed by the key";
  if (statement.writer !== writer) return `is of another writer, ${statement.writer}`;
  if (statement.previous !== (before?.sha256 ?? null)) return "does not follow the one before it";
  if (before !== undefined && statement.seq <= before.statement.seq && !statement.final) {
    return "states an earlier place than the one before it";
  }
  return undefined;
}

/** What one writer has seen of another one's file is still there. */
function goneFiles(
  statements: CheckedCheckpoints["statements"],
  seen: ReadonlyMap<string, number>,
): readonly Tampering[] {
  return [...seen].flatMap(([writer, seq]) => {
    const last = statements.get(writer)?.at(-1)?.seq ?? 0;
    if (last >= seq) return [];
    const message = `its checkpoints end at ${last}; another writer has seen one at ${seq}`;
    return [{ kind: "checkpoint", writer, seq: last + 1, message } as const];
  });
}
