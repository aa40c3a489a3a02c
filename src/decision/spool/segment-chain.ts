/**
 * The segments of one writer, one behind the other. `commit` resolves once the frames are on the
 * disk; where that fails the segment is sealed at its last committed byte and a new one is tried
 * once. It knows bytes and places, not records.
 */
import { join } from "node:path";
import type { Log } from "../../contract/ambient.ts";
import { messageOf } from "../../errors.ts";
import { committedMarkName, spoolStart, writeCommittedMark } from "./committed-mark.ts";
import type { SpoolPosition } from "./committed-mark.ts";
import type { SpoolFile, SpoolFileSystem } from "./file-system.ts";
import { createSegment } from "./segment.ts";
import type { Segment } from "./segment.ts";

export interface SegmentChainOptions {
  readonly files: SpoolFileSystem;
  /** The writer's own folder; exists and is held by this process. */
  readonly folder: string;
  readonly segmentMaxBytes: number;
  readonly log: Log;
}

/** Creates its first segment with its first commit. */
export class SegmentChain {
  readonly #options: SegmentChainOptions;
  #open: Segment | undefined;
  #mark: SpoolFile | undefined;
  #lastNumber = 0;
  #committed: SpoolPosition = spoolStart;

  constructor(options: SegmentChainOptions) {
    this.#options = options;
  }

  /**
   * Everything before it is on the disk. It moves to the next segment once the one before is sealed, and
   * never beyond one that is being made: what comes into that one would be taken for shipped.
   */
  get committed(): SpoolPosition {
    return this.#committed;
  }

  /** Appends `frames`; throws the second error where two segments in a row failed. */
  async commit(frames: Buffer): Promise<void> {
    try {
      await this.#commitOnce(frames);
    } catch (first) {
      this.#options.log.warn({ reason: messageOf(first) }, "spool segment failed, trying another");
      await this.#seal();
      await this.#commitOrSeal(frames);
    }
    await this.#writeMark();
  }

  /** Seals the open segment; the next commit begins another. False where none is open. */
  async endSegment(): Promise<boolean> {
    if (this.#open === undefined) return false;
    await this.#seal();
    await this.#writeMark();
    return true;
  }

  /** Seals the open segment. */
  async close(): Promise<void> {
    await this.#seal();
    const mark = this.#mark;
    this.#mark = undefined;
    await mark?.close().catch(() => undefined);
  }

  async #commitOrSeal(frames: Buffer): Promise<void> {
    try {
      await this.#commitOnce(frames);
    } catch (second) {
      await this.#seal();
      throw second;
    }
  }

  async #commitOnce(frames: Buffer): Promise<void> {
    const segment = this.#openWithRoom(frames.length) ?? (await this.#next());
    await segment.commit(frames);
    this.#committed = { segment: segment.number, offset: segment.committedBytes };
  }

  /** A batch larger than a segment gets one of its own. */
  #openWithRoom(bytes: number): Segment | undefined {
    const open = this.#open;
    if (open === undefined || open.isEmpty) return open;
    return open.committedBytes + bytes <= this.#options.segmentMaxBytes ? open : undefined;
  }

  async #next(): Promise<Segment> {
    await this.#seal();
    this.#lastNumber += 1;
    const { files, folder } = this.#options;
    this.#open = await createSegment(files, folder, this.#lastNumber);
    return this.#open;
  }

  async #seal(): Promise<void> {
    const segment = this.#open;
    if (segment === undefined) return;
    this.#open = undefined;
    try {
      await segment.seal();
    } catch (thrown) {
      const found = { segment: segment.number, reason: messageOf(thrown) };
      this.#options.log.error(found, "spool segment could not be cut at its last committed record");
    }
    this.#committed = { segment: segment.number + 1, offset: 0 };
  }

  async #writeMark(): Promise<void> {
    try {
      const { files, folder } = this.#options;
      this.#mark ??= await files.createFile(join(folder, committedMarkName));
      writeCommittedMark(this.#mark, this.committed);
    } catch (thrown) {
      this.#options.log.warn({ reason: messageOf(thrown) }, "spool mark could not be written");
    }
  }
}
