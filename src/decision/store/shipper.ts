/**
 * Ships the spool to Postgres behind the writer's back: it never holds up a record, backs off while
 * the database is away, and begins again where it stopped. What is in the database is removed from
 * the spool. It also takes in the spools that dead processes left in the same state folder.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock, Log } from "../../contract/ambient.ts";
import type { Database } from "../../database/database.ts";
import { codeOf, messageOf } from "../../errors.ts";
import { readPlace } from "../export/exported-place.ts";
import { Pause } from "../pause.ts";
import { comparePositions, spoolStart } from "../spool/committed-mark.ts";
import type { SpoolPosition } from "../spool/committed-mark.ts";
import { nodeFileSystem } from "../spool/file-system.ts";
import { segmentName } from "../spool/segment.ts";
import { listSegments, removeWriterFolder } from "../spool/writer-folder.ts";
import { adoptWriter, countBytes, listDeadWriters } from "./adopt-writers.ts";
import { forgetWriter } from "./cursors.ts";
import type { BatchTarget } from "./insert-batch.ts";
import { Partitions } from "./partitions.ts";
import { shipWriter } from "./ship-writer.ts";
import { keepForExport, markShipped } from "./shipped-mark.ts";
import { tellArrival } from "./tell-arrival.ts";

/** Lets records gather into one batch. */
const gatherMs = 100;
const startDelayMs = 500;
const adoptEveryMs = 30_000;
const backoffMinMs = 250;
const backoffMaxMs = 30_000;

export interface ShipperOptions {
  readonly spool: string;
  /** This process's own writer. */
  readonly writer: string;
  /** How far the own writer's spool is committed. */
  readonly committed: () => SpoolPosition;
  /** Opens the database, migrated. */
  readonly open: () => Promise<Database>;
  /** The export that segments wait for, too, before they are removed; none where it is left out. */
  readonly exportKey?: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ShipperStatus {
  /** `away`: the database did not answer the last time. */
  readonly state: "waiting" | "shipping" | "away";
  readonly deadLetters: number;
}

/** Runs from its construction until `close`. */
export class Shipper {
  readonly #options: ShipperOptions;
  readonly #pause = new Pause();
  readonly #gathering = new Pause();
  readonly #loop: Promise<void>;
  #connection: BatchTarget | undefined;
  #reached: SpoolPosition = spoolStart;
  #shippedBytes = 0;
  #shippedRecords = 0;
  /** Since when something waits that is not in the database; monotonic. */
  #behindSinceMs: number | undefined;
  #orphanedBytes = 0;
  /** Segments before it stay for an export. */
  #markedBefore = 0;
  #status: ShipperStatus = { state: "waiting", deadLetters: 0 };
  #failures = 0;
  #nextAdoptionMs = 0;
  #stopAtMs: number | undefined;

  constructor(options: ShipperOptions) {
    this.#options = options;
    this.#loop = this.#run();
  }

  get status(): ShipperStatus {
    return this.#status;
  }

  /** Bytes of the own spool that are in the database. */
  get shippedBytes(): number {
    return this.#shippedBytes;
  }

  /** Records of the own spool that are in the database. */
  get shippedRecords(): number {
    return this.#shippedRecords;
  }

  /** How long the oldest record of the own spool has waited, at most. */
  get lagMs(): number {
    const { clock } = this.#options;
    return this.#behindSinceMs === undefined ? 0 : clock.monotonicMs() - this.#behindSinceMs;
  }

  /** Bytes in dead writers' spools, as last counted. */
  get orphanedBytes(): number {
    return this.#orphanedBytes;
  }

  /** Whether everything of the own spool before it is in the database. */
  hasReached(position: SpoolPosition): boolean {
    return comparePositions(position, this.#reached) <= 0;
  }

  /** Says that something was committed. */
  nudge(): void {
    if (!this.#isBehind()) return;
    this.#behindSinceMs ??= this.#options.clock.monotonicMs();
    if (this.#failures === 0) this.#pause.cut();
  }

  /** Ships what it can within `graceMs`; call it when the writer is closed. */
  async close(graceMs: number): Promise<void> {
    this.#stopAtMs = this.#options.clock.monotonicMs() + graceMs;
    this.#pause.endAll();
    this.#gathering.endAll();
    await Promise.race([this.#finish(), sleep(graceMs, undefined, { ref: false })]);
  }

  async #finish(): Promise<void> {
    await this.#loop;
    try {
      if (this.#isBehind()) await this.#shipOwn();
      if (!this.#isBehind()) await this.#removeOwn();
      this.#status = { ...this.#status, state: "waiting" };
    } catch (thrown) {
      this.#fail(thrown);
    }
    await this.#disconnect();
  }

  async #run(): Promise<void> {
    await this.#gathering.wait(startDelayMs);
    while (this.#stopAtMs === undefined) {
      await this.#attempt();
      if (this.#failures > 0) await this.#pause.wait(backoffMs(this.#failures));
      else if (!this.#isBehind()) await this.#pause.wait(adoptEveryMs);
      if (this.#stopAtMs === undefined) await this.#gathering.wait(gatherMs);
    }
  }

  async #attempt(): Promise<void> {
    try {
      if (this.#isBehind()) await this.#shipOwn();
      await this.#removeShipped();
      await this.#adoptInTurn();
      this.#succeed();
    } catch (thrown) {
      this.#fail(thrown);
      await this.#disconnect();
    }
  }

  async #shipOwn(): Promise<void> {
    const { spool, writer, committed } = this.#options;
    const folder = join(spool, writer);
    const upTo = committed();
    const startedMs = this.#options.clock.monotonicMs();
    this.#status = { ...this.#status, state: "shipping" };
    await shipWriter(await this.#connect(), {
      folder,
      writer,
      from: this.#reached,
      upTo,
      onProgress: (reached, bytes, deadLetters, records) => {
        this.#reached = reached;
        this.#shippedBytes += bytes;
        this.#shippedRecords += records;
        this.#countDeadLetters(deadLetters);
      },
      isStopped: () => this.#isOutOfTime(),
    });
    if (this.#isOutOfTime()) return;
    this.#reached = upTo;
    this.#behindSinceMs = this.#isBehind() ? startedMs : undefined;
  }

  async #adoptInTurn(): Promise<void> {
    const { spool, writer, clock } = this.#options;
    if (clock.monotonicMs() < this.#nextAdoptionMs || this.#stopAtMs !== undefined) return;
    const dead = await listDeadWriters(spool, writer, clock);
    this.#orphanedBytes = await countBytes(spool, dead);
    for (const orphan of dead) {
      if (this.#stopAtMs !== undefined) return;
      await adoptWriter(await this.#connect(), {
        spool,
        writer: orphan,
        exportKey: this.#options.exportKey,
        clock,
        isStopped: () => this.#stopAtMs !== undefined,
        onProgress: (bytes, deadLetters) => {
          this.#orphanedBytes = Math.max(0, this.#orphanedBytes - bytes);
          this.#countDeadLetters(deadLetters);
        },
      });
    }
    this.#orphanedBytes = await countBytes(spool, dead);
    await this.#connection?.partitions.makeAhead(clock.nowMs());
    this.#nextAdoptionMs = clock.monotonicMs() + adoptEveryMs;
  }

  async #connect(): Promise<BatchTarget> {
    if (this.#connection !== undefined) return this.#connection;
    const database = await this.#options.open();
    const { log, clock } = this.#options;
    const partitions = new Partitions(database, log);
    const tell = (): Promise<void> => tellArrival(database, log);
    this.#connection = { database, log, partitions, tell };
    await partitions.makeAhead(clock.nowMs());
    return this.#connection;
  }

  async #disconnect(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.database.close().catch(() => undefined);
  }

  /** The own spool is empty now: everything in it is in the database. */
  async #removeOwn(): Promise<void> {
    const { spool, writer, exportKey } = this.#options;
    if (await keepForExport(join(spool, writer), exportKey)) return;
    await removeWriterFolder(join(spool, writer));
    if (this.#connection !== undefined) await forgetWriter(this.#connection.database, writer);
  }

  async #removeShipped(): Promise<void> {
    const { spool, writer, exportKey } = this.#options;
    const folder = join(spool, writer);
    const exported = exportKey === undefined ? undefined : await readPlace(folder, exportKey);
    const before = Math.min(this.#reached.segment, exported?.segment ?? this.#reached.segment);
    await removeSegments(folder, before);
    if (before === this.#reached.segment || this.#markedBefore === this.#reached.segment) return;
    await markShipped(folder, this.#reached.segment);
    this.#markedBefore = this.#reached.segment;
  }

  #isBehind(): boolean {
    return comparePositions(this.#reached, this.#options.committed()) < 0;
  }

  #isOutOfTime(): boolean {
    return this.#stopAtMs !== undefined && this.#options.clock.monotonicMs() >= this.#stopAtMs;
  }

  #countDeadLetters(deadLetters: number): void {
    this.#status = { ...this.#status, deadLetters: this.#status.deadLetters + deadLetters };
  }

  #succeed(): void {
    if (this.#failures > 0) this.#options.log.info({}, "decision store is back");
    this.#failures = 0;
    this.#status = { ...this.#status, state: "waiting" };
  }

  #fail(thrown: unknown): void {
    this.#failures += 1;
    const code = codeOf(thrown) ?? "unknown";
    this.#status = { ...this.#status, state: "away" };
    const found = { code, reason: messageOf(thrown), attempt: this.#failures };
    if (this.#failures > 1) return this.#options.log.debug(found, "decision store is still away");
    this.#options.log.warn(found, "decision store is away, decisions stay in the spool");
  }
}

async function removeSegments(folder: string, before: number): Promise<void> {
  for (const number of await listSegments(folder)) {
    if (number < before) await nodeFileSystem.removeFile(join(folder, segmentName(number)));
  }
}

/** Doubles from a quarter of a second to half a minute, with jitter against herds. */
function backoffMs(failures: number): number {
  const full = Math.min(backoffMaxMs, backoffMinMs * 2 ** (failures - 1));
  return full * (0.5 + Math.random() / 2);
}
