/**
 * The checkpoints of a folder, checked for themselves: signed by the key, each in the file of its
 * writer, one behind the other without gaps, and no writer gone that another one has seen.
 */
import type { KeyObject } from "node:crypto";
import type { Tampering } from "./chain-check.ts";
import type { Checkpoint, CheckpointStatement } from "./checkpoint.ts";
import { isSignedBy, readCheckpoint } from "./checkpoint.ts";
import { readCheckpointLines } from "./checkpoint-file.ts";

export interface CheckedCheckpoints {
  /** What can be believed, by writer, in the order of the file. */
  readonly statements: ReadonlyMap<string, readonly CheckpointStatement[]>;
  readonly problems: readonly Tampering[];
}

/** Reads and checks all of them. */
export async function readCheckpoints(folder: string, key: KeyObject): Promise<CheckedCheckpoints> {
  const statements = new Map<string, readonly CheckpointStatement[]>();
  const problems: Tampering[] = [];
  for (const [writer, lines] of await readCheckpointLines(folder)) {
    const file = checkLines(writer, lines, key);
    statements.set(writer, file.statements);
    problems.push(...file.problems);
  }
  return { statements, problems: [...problems, ...goneFiles(statements)] };
}

/** The checkpoints of one writer's file. */
export function checkLines(
  writer: string,
  lines: readonly string[],
  key: KeyObject,
): {
  readonly statements: readonly CheckpointStatement[];
  readonly problems: readonly Tampering[];
} {
  const statements: CheckpointStatement[] = [];
  const problems: Tampering[] = [];
  let before: Checkpoint | undefined;
  lines.forEach((line, index) => {
    if (line === "") return;
    const checkpoint = readCheckpoint(line);
    const problem = problemOf(writer, checkpoint, before, key);
    const seq = checkpoint?.statement.seq ?? before?.statement.seq ?? 0;
    if (problem !== undefined) {
      const message = `line ${index + 1} of its checkpoints ${problem}`;
      problems.push({ kind: "checkpoint", writer, seq, message });
    } else if (checkpoint !== undefined) statements.push(checkpoint.statement);
    before = checkpoint ?? before;
  });
  return { statements, problems };
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
  statements: ReadonlyMap<string, readonly CheckpointStatement[]>,
): readonly Tampering[] {
  const seen = new Map<string, number>();
  for (const { others } of [...statements.values()].flat()) {
    for (const [writer, seq] of Object.entries(others)) {
      seen.set(writer, Math.max(seq, seen.get(writer) ?? 0));
    }
  }
  return [...seen].flatMap(([writer, seq]) => {
    const last = statements.get(writer)?.at(-1)?.seq ?? 0;
    if (last >= seq) return [];
    const message = `its checkpoints end at ${last}; another writer has seen one at ${seq}`;
    return [{ kind: "checkpoint", writer, seq: last + 1, message } as const];
  });
}
