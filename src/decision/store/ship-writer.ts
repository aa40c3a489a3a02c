/**
 * Brings one writer's spool into the store, from a cursor up to a limit, in batches. It only reads
 * the spool; what to remove afterwards is its caller's decision.
 */
import { join } from "node:path";
import { comparePositions } from "../spool/committed-mark.ts";
import type { SpoolPosition } from "../spool/committed-mark.ts";
import type { Frame } from "../spool/frame.ts";
import { readSegment } from "../spool/read-segment.ts";
import { segmentName } from "../spool/segment.ts";
import { listSegments } from "../spool/writer-folder.ts";
import { insertBatch } from "./insert-batch.ts";
import type { BatchTarget } from "./insert-batch.ts";

const batchMaxRecords = 100;
const batchMaxBytes = 4 * 1024 * 1024;

export interface Shipment {
  readonly folder: string;
  readonly writer: string;
  readonly from: SpoolPosition;
  /** Everything before it may be read; `undefined` for a dead writer, whose every frame counts. */
  readonly upTo: SpoolPosition | undefined;
  /** Called after each batch with the place reached, and the bytes, dead letters and records it took. */
  readonly onProgress?: (
    reached: SpoolPosition,
    bytes: number,
    deadLetters: number,
    records: number,
  ) => void;
  /** Asked before each batch; true ends the shipment early. */
  readonly isStopped?: () => boolean;
}

/** Resolves to the place reached; throws what the database throws. */
export async function shipWriter(target: BatchTarget, shipment: Shipment): Promise<SpoolPosition> {
  let reached = shipment.from;
  for (const segment of await listSegments(shipment.folder)) {
    const { upTo } = shipment;
    if (segment < shipment.from.segment || (upTo !== undefined && segment > upTo.segment)) continue;
    if (shipment.isStopped?.() === true) return reached;
    const offset = segment === shipment.from.segment ? shipment.from.offset : 0;
    reached = await shipSegment(target, shipment, { segment, offset });
  }
  return reached;
}

async function shipSegment(
  target: BatchTarget,
  shipment: Shipment,
  from: SpoolPosition,
): Promise<SpoolPosition> {
  const { segment } = from;
  const { folder, upTo } = shipment;
  const limit = segment === upTo?.segment ? upTo.offset : undefined;
  let reached = from;
  for (;;) {
    const path = join(folder, segmentName(segment));
    const read = await readSegment(path, reached.offset, limit);
    for (const frames of splitFrames(read.frames)) {
      if (shipment.isStopped?.() === true) return reached;
      reached = await shipFrames(target, shipment, { segment, frames });
    }
    reached = furthest(reached, { segment, offset: read.next });
    if (read.atEnd) return reached;
  }
}

async function shipFrames(
  target: BatchTarget,
  shipment: Shipment,
  batch: { readonly segment: number; readonly frames: readonly Frame[] },
): Promise<SpoolPosition> {
  const { segment, frames } = batch;
  const deadLetters = await insertBatch(target, { writer: shipment.writer, segment, frames });
  await target.tell?.();
  const reached = { segment, offset: frames.at(-1)?.end ?? 0 };
  const bytes = frames.reduce((sum, frame) => sum + frame.end - frame.offset, 0);
  shipment.onProgress?.(reached, bytes, deadLetters, frames.length);
  return reached;
}

function furthest(left: SpoolPosition, right: SpoolPosition): SpoolPosition {
  return comparePositions(left, right) < 0 ? right : left;
}

function splitFrames(frames: readonly Frame[]): readonly (readonly Frame[])[] {
  const batches: Frame[][] = [];
  let bytes = 0;
  for (const frame of frames) {
    const open = batches.at(-1);
    bytes += frame.payload.length;
    if (open !== undefined && open.length < batchMaxRecords && bytes <= batchMaxBytes) {
      open.push(frame);
    } else {
      batches.push([frame]);
      bytes = frame.payload.length;
    }
  }
  return batches;
}
