/**
 * Approvals in the state folder, shared by all gateways and commands of one user on one machine. One
 * file for each, and one beside it with the arguments while somebody may still want to see them.
 * Whoever changes anything holds the folder's lock; writes are whole or not at all, and durable.
 */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../contract/ambient.ts";
import { acquireProcessLock } from "../../database/process-lock.ts";
import { readStateFile, writeStateFile } from "../../database/state-file.ts";
import { codeOf, messageOf } from "../../errors.ts";
import type { Approval } from "./approval.ts";
import { answerAmong } from "./approval.ts";
import { parseApproval } from "./approval-document.ts";
import { ApprovalError } from "./approval-error.ts";
import type { ApprovalDraft, ApprovalStore, Changed, Opened } from "./approval-store.ts";
import { countsAsAsked, isClosed, isForgettable } from "./approval-store.ts";

export interface FileApprovalsOptions {
  readonly tenant: string;
  readonly stateDir: string;
  readonly clock: Clock;
}

const lockWaitMs = 10_000;
const maxFileBytes = 256 * 1024;
/** Arguments are at most what the wire lets in, and escapes may double them. */
const maxArgumentsBytes = 16 * 1024 * 1024;
const idShape = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;

/** Opens the folder's approvals; nothing is read or made before the first use. */
export function openFileApprovals(options: FileApprovalsOptions): ApprovalStore {
  return new FileApprovals(options);
}

class FileApprovals implements ApprovalStore {
  readonly #folder: string;
  readonly #tenant: string;
  readonly #clock: Clock;
  /** Of this process, one after the other: the lock between processes is slow where it is contended. */
  #last: Promise<unknown> = Promise.resolve();

  constructor({ tenant, stateDir, clock }: FileApprovalsOptions) {
    this.#tenant = tenant;
    this.#folder = join(stateDir, "approvals");
    this.#clock = clock;
  }

  async open(draft: ApprovalDraft): Promise<Opened> {
    return await this.#alone(async () => {
      const nowMs = this.#clock.nowMs();
      const kept = await this.#sweep(nowMs);
      const same = answerAmong(
        kept.filter(({ binding }) => binding === draft.binding),
        nowMs,
      );
      if (same !== undefined) return { kind: "found", approval: same };
      const waiting = kept.filter(
        (one) => one.principal === draft.principal && countsAsAsked(one, nowMs),
      );
      if (waiting.length >= draft.maxPending) return { kind: "too_many" };
      const approval = await draft.make(nowMs);
      await writeStateFile(this.#argumentsPath(approval.id), draft.argumentsJson);
      await this.#write(approval);
      return { kind: "opened", approval };
    });
  }

  async change<Result>(
    id: string,
    change: (approval: Approval, nowMs: number) => Promise<Changed<Result>>,
  ): Promise<Result | undefined> {
    return await this.#alone(async () => {
      const before = await this.#readOwn(id);
      if (before === undefined) return undefined;
      const { approval, result } = await change(before, this.#clock.nowMs());
      if (approval !== undefined) await this.#write(approval);
      return result;
    });
  }

  async read(ids: readonly string[]): Promise<readonly Approval[]> {
    const found = await Promise.all(ids.map((id) => this.#readOwn(id)));
    return found.filter((one) => one !== undefined);
  }

  async list(): Promise<readonly Approval[]> {
    const found = await this.read(await this.#ids());
    return found.toSorted((left, right) => (left.id < right.id ? 1 : -1));
  }

  async argumentsOf(id: string): Promise<string | undefined> {
    if ((await this.#readOwn(id)) === undefined) return undefined;
    const reading = await readStateFile(this.#argumentsPath(id), maxArgumentsBytes);
    if (reading.kind === "unreadable") throw unusable(reading.reason);
    return reading.kind === "text" ? reading.text : undefined;
  }

  async close(): Promise<void> {
    await this.#last;
  }

  /** Runs after everything of this process before it, and while no other process changes anything. */
  #alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const run = this.#last.then(() => this.#locked(work));
    this.#last = run.catch(() => undefined);
    return run;
  }

  async #locked<Result>(work: () => Promise<Result>): Promise<Result> {
    const attempt = await acquireProcessLock(join(this.#folder, "lock"), {
      clock: this.#clock,
      waitMs: lockWaitMs,
    }).catch((thrown: unknown) => {
      throw unusable(`cannot lock ${this.#folder}: ${messageOf(thrown)}`, thrown);
    });
    if (!attempt.ok) {
      throw unusable(`process ${attempt.holder.pid} holds the lock of ${this.#folder}`);
    }
    try {
      return await work();
    } finally {
      await attempt.lock.release();
    }
  }

  /** Removes what is over for long; what remains. */
  async #sweep(nowMs: number): Promise<readonly Approval[]> {
    const all = await this.list();
    const over = all.filter((one) => isForgettable(one, nowMs));
    for (const { id } of over) {
      await rm(this.#argumentsPath(id), { force: true });
      await rm(this.#path(id), { force: true });
    }
    return all.filter((one) => !over.includes(one));
  }

  /** Gateways of several tenants may share the folder. */
  async #readOwn(id: string): Promise<Approval | undefined> {
    const found = await this.#read(id);
    return found?.tenant === this.#tenant ? found : undefined;
  }

  async #read(id: string): Promise<Approval | undefined> {
    if (!idShape.test(id)) return undefined;
    const path = this.#path(id);
    const reading = await readStateFile(path, maxFileBytes);
    if (reading.kind === "absent") return undefined;
    if (reading.kind === "unreadable") throw unusable(reading.reason);
    const approval = parseApproval(reading.text);
    if (approval !== undefined) return approval;
    throw unusable(`cannot use ${path}: it is no approval; remove it, its call asks anew`);
  }

  async #write(approval: Approval): Promise<void> {
    try {
      await writeStateFile(this.#path(approval.id), `${JSON.stringify(approval, undefined, 2)}\n`);
      if (isClosed(approval)) await rm(this.#argumentsPath(approval.id), { force: true });
    } catch (thrown) {
      throw unusable(`cannot write into ${this.#folder}: ${messageOf(thrown)}`, thrown);
    }
  }

  async #ids(): Promise<readonly string[]> {
    const names = await readdir(this.#folder).catch((thrown: unknown) => {
      if (codeOf(thrown) === "ENOENT") return [];
      throw unusable(`cannot read ${this.#folder}: ${messageOf(thrown)}`, thrown);
    });
    return names
      .filter((name) => name.endsWith(".approval.json"))
      .map((name) => name.slice(0, -".approval.json".length));
  }

  #path(id: string): string {
    return join(this.#folder, `${id}.approval.json`);
  }

  #argumentsPath(id: string): string {
    return join(this.#folder, `${id}.arguments.json`);
  }
}

function unusable(reason: string, cause?: unknown): ApprovalError {
  return new ApprovalError("approval_store_unusable", reason, { cause });
}
