/**
 * `block KIND ID` and `block lift KIND ID`: recorded, then done. A shared store that is away is an
 * error and not half a block; `--local` is for then.
 */
import { newId } from "../../config/ambient.ts";
import type { BlockScope, BlockSubject } from "../../gateway/blocks/block.ts";
import { subjectText } from "../../gateway/blocks/block.ts";
import type { BlockStore } from "../../gateway/blocks/block-store.ts";
import type { BlockHands, BlockOutcome } from "../../gateway/blocks/change-blocks.ts";
import { addBlock, liftBlock } from "../../gateway/blocks/change-blocks.ts";
import { readSubject } from "../../gateway/blocks/read-subject.ts";
import { codeOf } from "../../errors.ts";
import { openReasonScrubber } from "../open-record-mask.ts";
import { personOf } from "../person-of.ts";
import type { CliIo } from "../io.ts";
import type { OutputFormat } from "../print.ts";
import { printDocument } from "../print.ts";
import { readWhy, requireWhy } from "../read-why.ts";
import { withDecisionLog } from "../with-decision-log.ts";
import type { BlockContext } from "./with-blocks.ts";
import { warnStranger, warnUnseen } from "./warn-unseen.ts";
import { withBlocks } from "./with-blocks.ts";

export interface BlockOptions {
  readonly config?: string;
  readonly output: OutputFormat;
  readonly why?: string;
  readonly local?: boolean;
}

/** Blocks something. */
export async function blockCommand(
  io: CliIo,
  kind: string,
  id: string,
  options: BlockOptions,
): Promise<void> {
  const reason = readWhy(options.why, "a block");
  await withBlocks(io, options.config, async (context) => {
    const subject = readSubject(kind, id, [...context.config.servers.keys()]);
    const store = storesFor(context, options.local)[0];
    if (store === undefined) return;
    await warnUnseen(io, context.place.stateDir, subject);
    const outcome = await withRecord(io, context, (hands) =>
      addBlock(hands, store, { subject, by: personOf(io), reason }),
    ).catch((thrown: unknown) => {
      const isAway = codeOf(thrown) === "database_unreachable";
      if (isAway) io.err("note: --local stops it on this machine while the store is away");
      throw thrown;
    });
    tellBlock(io, options.output, outcome);
    await warnStranger(io, options.config, context.config, subject);
  });
}

function tellBlock(io: CliIo, output: OutputFormat, { block, scope, isNew }: BlockOutcome): void {
  if (output !== "table") return printDocument(io, output, { ...block, scope, is_new: isNew });
  const since = isNew ? "" : `, as it was since ${block.at} by ${block.by}`;
  io.out(`${subjectText(block)} is blocked ${whereOf(scope)}${since}`);
}

/** Lifts a block wherever it is. */
export async function liftCommand(
  io: CliIo,
  kind: string,
  id: string,
  options: BlockOptions,
): Promise<void> {
  const reason = requireWhy(options.why, "lifting a block");
  await withBlocks(io, options.config, async (context) => {
    const subject = liftedSubject(kind, id);
    const stores = storesFor(context, options.local);
    const scopes = await withRecord(io, context, (hands) =>
      liftBlock(hands, stores, { subject, by: personOf(io), reason }),
    );
    if (options.output !== "table") {
      return printDocument(io, options.output, { ...subject, scopes });
    }
    io.out(`${subjectText(subject)} is not blocked any more ${scopes.map(whereOf).join(" and ")}`);
  });
}

/** A server may have left the configuration since it was blocked. */
function liftedSubject(kind: string, id: string): BlockSubject {
  const [server = ""] = id.split("/");
  return readSubject(kind, id, [server]);
}

function storesFor({ sources }: BlockContext, isLocal: boolean | undefined): readonly BlockStore[] {
  const stores = sources.map(({ store }) => store);
  return isLocal === true ? stores.filter(({ scope }) => scope === "this_machine") : stores;
}

async function withRecord<Result>(
  io: CliIo,
  { config, place }: BlockContext,
  work: (hands: BlockHands) => Promise<Result>,
): Promise<Result> {
  const { stateDir, tenant, clock } = place;
  const scrub = openReasonScrubber(config.secrets);
  return await withDecisionLog(io, { config, stateDir }, (log) =>
    work({ tenant, clock, newId, note: (record) => log.note(record), scrub }),
  );
}

function whereOf(scope: BlockScope): string {
  return scope === "everywhere" ? "on every gateway of this store" : "on this machine";
}
