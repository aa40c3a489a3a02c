/**
 * The decision log: a spool that makes each record durable before its call leaves, and a shipper
 * behind it that brings the records to Postgres. With the embedded store the spool itself is the
 * record, and nothing else runs in this process. Nothing heavy is loaded before the first shipment.
 */
import { join } from "node:path";
import type { CheckpointsConfig, DecisionsConfig } from "../config/config.ts";
import type { ExportConfig } from "../config/decisions-config.ts";
import type { Clock, Log, NewId } from "../contract/ambient.ts";
import type {
  AdmissionRecord,
  DecisionLog,
  DecisionRecord,
  NotedRecord,
  OutcomeRecord,
} from "../contract/record.ts";
import { gatewayVersion } from "../contract/version.ts";
import { openMigrated } from "../database/open-migrated.ts";
import type { ProcessLock } from "../database/process-lock.ts";
import { messageOf } from "../errors.ts";
import { DecisionError } from "./decision-error.ts";
import { encodeRecord } from "./encode-record.ts";
import { exportKey } from "./export/exported-place.ts";
import type { Exporter, ExporterOptions, ExporterStatus } from "./export/exporter.ts";
import type { RecordLabels } from "./encode-note.ts";
import { CheckpointKeeper } from "./integrity/checkpoint-keeper.ts";
import { checkpointFolder, checkpointKey } from "./integrity/checkpoint-key.ts";
import type { EncodedRecord } from "./integrity/envelope.ts";
import type { RecordMask } from "./masking/record-mask.ts";
import type { SpoolPosition } from "./spool/committed-mark.ts";
import { nodeFileSystem } from "./spool/file-system.ts";
import type { SpoolFileSystem } from "./spool/file-system.ts";
import { defaultSpoolLimits } from "./spool/spool-limits.ts";
import type { SpoolLimits } from "./spool/spool-limits.ts";
import { SpoolWriter } from "./spool/spool-writer.ts";
import { createWriterFolder, removeWriterFolder, spoolFolder } from "./spool/writer-folder.ts";
import { Shipper } from "./store/shipper.ts";
import type { ShipperStatus } from "./store/shipper.ts";

const asyncFlushMs = 25;
const closeGraceMs = 2_000;
const exportGraceMs = 1_000;

export interface DecisionLogOptions {
  /** Exists, mode 0700. */
  readonly stateDir: string;
  readonly store: DecisionsConfig["store"];
  readonly clock: Clock;
  readonly log: Log;
  readonly newId: NewId;
  readonly limits: Pick<SpoolLimits, "spoolMaxBytes"> & Partial<SpoolLimits>;
  /** What happens to a call whose record cannot be made durable. */
  readonly onFailure: DecisionsConfig["onFailure"];
  /** `async` answers before the record is on the disk, except where an audit is required. */
  readonly durability: DecisionsConfig["durability"];
  /** Called once with `onFailure: "shutdown"`, after the first record that could not be written. */
  readonly onShutdown?: (reason: DecisionError) => void;
  /** Who vouches for the record; nobody where it is left out. */
  readonly checkpoints?: CheckpointsConfig | undefined;
  /** What the spool waits for, too, before it is removed; who exports is `openExporter`. */
  readonly export?: ExportConfig | undefined;
  /** Makes who exports; nobody in this process where it is left out. */
  readonly openExporter?: ((place: ExportPlace) => Exporter) | undefined;
  /** Hides what nobody may read, before anything is written. */
  readonly mask: Pick<RecordMask, "mask">;
  /** The spool's file operations; the real ones by default. */
  readonly files?: SpoolFileSystem;
}

/** What an exporter has to be told. */
export type ExportPlace = Pick<
  ExporterOptions,
  "spool" | "writer" | "committed" | "bufferMaxBytes" | "clock" | "log"
>;

export interface DecisionLogStatus {
  readonly writer: string;
  readonly committedRecords: number;
  /** Outcomes that could not be recorded. */
  readonly lostRecords: number;
  /** Requests that went on although their record could not be made durable (`continue`). */
  readonly unrecorded: number;
  /** Bytes that are not in Postgres yet; 0 with the embedded store. */
  readonly unshippedBytes: number;
  /** Records of this process that are not in Postgres yet; 0 with the embedded store. */
  readonly unshippedRecords: number;
  /** How long the oldest of them has waited. */
  readonly shippingLagMs: number;
  /** Code of the last commit's failure, `undefined` while commits succeed. */
  readonly failure: string | undefined;
  /** `undefined` with the embedded store. */
  readonly shipper: ShipperStatus | undefined;
  /** `undefined` where nothing is exported by this process. */
  readonly exporter: ExporterStatus | undefined;
}

export interface ObservedDecisionLog extends DecisionLog {
  readonly status: () => DecisionLogStatus;
  /** Has the next record begin a segment of the spool, since segments are pruned as a whole. */
  readonly endSegment: () => void;
}

/** Opens the spool; throws `spool_unusable` where it cannot be written. */
export async function createDecisionLog(options: DecisionLogOptions): Promise<ObservedDecisionLog> {
  const files = options.files ?? nodeFileSystem;
  const spool = spoolFolder(options.stateDir, options.store.kind);
  const writer = options.newId();
  await files.createFolder(spool);
  const held = await createWriterFolder(files, spool, writer, options.clock);
  return new SpooledDecisionLog(options, { files, spool, writer, held });
}

interface OwnSpool {
  readonly files: SpoolFileSystem;
  readonly spool: string;
  readonly writer: string;
  readonly held: ProcessLock;
}

class SpooledDecisionLog implements ObservedDecisionLog {
  readonly #options: DecisionLogOptions;
  readonly #own: OwnSpool;
  readonly #labels: RecordLabels;
  readonly #writer: SpoolWriter;
  readonly #shipper: Shipper | undefined;
  readonly #exporter: Exporter | undefined;
  readonly #checkpoints: CheckpointKeeper<SpoolPosition> | undefined;
  #closed: Promise<void> | undefined;
  #isShutDown = false;
  #unrecorded = 0;

  constructor(options: DecisionLogOptions, own: OwnSpool) {
    this.#options = options;
    this.#own = own;
    this.#labels = { id: own.writer, version: gatewayVersion };
    this.#writer = this.#createWriter();
    this.#shipper = this.#createShipper();
    this.#exporter = this.#createExporter();
    this.#checkpoints = this.#createCheckpoints();
  }

  async admit(record: AdmissionRecord): Promise<void> {
    const encoded = this.#encode(record);
    if (this.#mayAnswerFirst(record, encoded)) return this.#writer.append(encoded);
    await this.#commit(record, encoded);
  }

  /** Nothing waits for it that would have to be quick. */
  async note(record: NotedRecord): Promise<void> {
    await this.#commit(record, this.#encode(record));
  }

  settle(record: OutcomeRecord): void {
    try {
      this.#writer.append(this.#encode(record));
    } catch (thrown) {
      const found = { decision_id: record.decisionId, reason: messageOf(thrown) };
      this.#options.log.error(found, "outcome record could not be encoded");
    }
  }

  endSegment(): void {
    this.#writer.endSegment();
  }

  /** Once, whoever asks: a descriptor that is closed again may be somebody else's by then. */
  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    await this.#writer.close();
    await this.#exporter?.close(exportGraceMs);
    await this.#shipper?.close(closeGraceMs);
    await this.#checkpoints?.close();
    await this.#own.held.release();
    if (this.#writer.counts.committedRecords > 0) return;
    await removeWriterFolder(join(this.#own.spool, this.#own.writer));
  }

  status(): DecisionLogStatus {
    const { committedRecords, lostRecords } = this.#writer.counts;
    return {
      writer: this.#own.writer,
      committedRecords,
      lostRecords,
      unrecorded: this.#unrecorded,
      unshippedBytes: this.#unshippedBytes(),
      unshippedRecords:
        this.#shipper === undefined ? 0 : committedRecords - this.#shipper.shippedRecords,
      shippingLagMs: this.#shipper?.lagMs ?? 0,
      failure: this.#writer.failure?.code,
      shipper: this.#shipper?.status,
      exporter: this.#exporter?.status,
    };
  }

  #encode(record: DecisionRecord): EncodedRecord {
    return this.#options.mask.mask(record, encodeRecord(record, this.#labels));
  }

  /** After a failed commit everybody waits again, so that the next failure is seen. */
  #mayAnswerFirst(record: AdmissionRecord, encoded: EncodedRecord): boolean {
    if (this.#options.durability === "sync" || this.#writer.failure !== undefined) return false;
    if (this.#writer.isTooLarge(encoded)) return false;
    return !record.answer.metadata.audit_required;
  }

  async #commit(record: AdmissionRecord | NotedRecord, encoded: EncodedRecord): Promise<void> {
    try {
      await this.#writer.commit(encoded);
    } catch (thrown) {
      this.#refuse(record, thrown);
    }
  }

  #refuse(record: AdmissionRecord | NotedRecord, thrown: unknown): void {
    const { log, onFailure, onShutdown } = this.#options;
    const found = { decision_id: record.decisionId, kind: record.kind, reason: messageOf(thrown) };
    log.error(found, "decision could not be recorded");
    if (onFailure === "continue") {
      this.#unrecorded += 1;
      return;
    }
    if (onFailure === "shutdown" && !this.#isShutDown && thrown instanceof DecisionError) {
      this.#isShutDown = true;
      onShutdown?.(thrown);
    }
    throw thrown;
  }

  #unshippedBytes(): number {
    if (this.#shipper === undefined) return 0;
    const { shippedBytes, orphanedBytes } = this.#shipper;
    return this.#writer.counts.committedBytes - shippedBytes + orphanedBytes;
  }

  #createWriter(): SpoolWriter {
    const { files, spool, writer } = this.#own;
    return new SpoolWriter({
      files,
      folder: join(spool, writer),
      writer,
      limits: { ...defaultSpoolLimits, ...this.#options.limits },
      log: this.#options.log,
      flushDelayMs: asyncFlushMs,
      unshippedBytes: () => this.#unshippedBytes(),
      onCommit: () => this.#shipper?.nudge(),
    });
  }

  #createShipper(): Shipper | undefined {
    const { store, export: target, clock, log } = this.#options;
    if (store.kind === "embedded") return undefined;
    const { spool, writer } = this.#own;
    const committed = (): SpoolWriter["committed"] => this.#writer.committed;
    const open = (): ReturnType<typeof openMigrated> => openMigrated(store.url);
    const key = target === undefined ? undefined : exportKey(target);
    return new Shipper({ spool, writer, committed, open, exportKey: key, clock, log });
  }

  /** With the embedded store the spool is kept, and nothing is given up for its size. */
  #createExporter(): Exporter | undefined {
    const { store, export: target, openExporter, clock, log } = this.#options;
    const { spool, writer } = this.#own;
    const bufferMaxBytes = store.kind === "embedded" ? undefined : target?.bufferSizeLimitBytes;
    const committed = (): SpoolPosition => this.#writer.committed;
    return openExporter?.({ spool, writer, committed, bufferMaxBytes, clock, log });
  }

  #createCheckpoints(): CheckpointKeeper<SpoolPosition> | undefined {
    const { checkpoints, stateDir, clock, log } = this.#options;
    if (checkpoints === undefined) return undefined;
    return new CheckpointKeeper({
      folder: checkpointFolder(stateDir, checkpoints),
      writer: this.#own.writer,
      key: () => checkpointKey(stateDir, checkpoints),
      everyMs: checkpoints.everyMs,
      committed: () => ({ head: this.#writer.head, position: this.#writer.committed }),
      isStored: (position) => this.#shipper?.hasReached(position) ?? true,
      clock,
      log,
    });
  }
}
