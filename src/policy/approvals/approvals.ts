/**
 * Approvals with their record: what a held call asks, what people decide, what a call uses. Each step
 * is durable in the decision log before anybody can see it, so that no call runs on an agreement that
 * nobody could show.
 */
import type { ApprovalsConfig } from "../../config/approvals-config.ts";
import type { Clock, Log, NewId } from "../../contract/ambient.ts";
import { maxReasonCharacters } from "../../contract/reason-limit.ts";
import type { DecisionLog } from "../../contract/record.ts";
import { messageOf } from "../../errors.ts";
import type { Approval } from "./approval.ts";
import { statusAt } from "./approval.ts";
import type { Claim, Ruling } from "./approval-changes.ts";
import { claim, closed, expire, giveBack, rule, withdraw } from "./approval-changes.ts";
import { ApprovalError } from "./approval-error.ts";
import type { ApprovalStep } from "./approval-note.ts";
import { approvalNote } from "./approval-note.ts";
import type { ApprovalStore, Opened } from "./approval-store.ts";
import type { ApprovalSubject } from "./approval-subject.ts";
import { bindingOf, makeApproval, shownArguments } from "./approval-subject.ts";
import { ApprovalWatch } from "./approval-watch.ts";
import { ExpiryTimers } from "./expiry-timers.ts";
import type { Webhooks } from "./webhooks.ts";

export interface ApprovalsOptions {
  readonly config: ApprovalsConfig;
  readonly store: ApprovalStore;
  /** Between two looks at the store while calls wait. */
  readonly lookEveryMs: number;
  readonly decisionLog: Pick<DecisionLog, "note">;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
  /** `undefined` where nobody is told. */
  readonly webhooks: Webhooks | undefined;
  readonly webhookGraceMs: number;
  /** Takes secrets out of a reason before it is kept. */
  readonly scrub: (text: string) => string;
  /** Makes of a digest one that nobody makes without the key: short arguments could be guessed by it. */
  readonly keyed: (purpose: "binding" | "arguments", digest: string) => string;
  /** What webhooks are sent of what was sent; `undefined`: nothing of it. */
  readonly maskSent?:
    | ((sent: ApprovalSubject["sent"], hints: ApprovalSubject["hints"]) => ApprovalSubject["sent"])
    | undefined;
}

/** What becomes of an approval, and the step that it is; `undefined` where it stays as it is. */
type Step = { readonly after: Approval; readonly step: ApprovalStep } | undefined;

type Change =
  | { readonly kind: "done"; readonly after: Approval | undefined }
  /** Its time was over. */
  | { readonly kind: "over"; readonly approval: Approval };

/** Everything about approvals that a gateway, a command or the admin interface does. */
export class Approvals {
  readonly #options: ApprovalsOptions;
  readonly #watch: ApprovalWatch;
  readonly #timers: ExpiryTimers;
  /** Claims that came to nothing and could not be given back yet, by approval. */
  readonly #owed = new Map<string, Claim>();

  constructor(options: ApprovalsOptions) {
    const { store, clock, log, lookEveryMs: everyMs } = options;
    this.#options = options;
    this.#watch = new ApprovalWatch({ store, clock, log, everyMs });
    this.#timers = new ExpiryTimers(clock, (id) => void this.#closeExpired(id));
  }

  /** Asks people about a held action; the same action that asked before gets what it got then. */
  async request(subject: ApprovalSubject): Promise<Opened> {
    const { store, config, newId, webhooks } = this.#options;
    for (const [id, owed] of this.#owed) await this.giveBack(id, owed);
    await this.#lookAtAll();
    const argumentsJson = shownArguments(subject);
    const opened = await store.open({
      binding: this.#options.keyed("binding", bindingOf(subject)),
      principal: subject.principal.key,
      maxPending: config.maxPending,
      argumentsJson,
      make: async (nowMs) => {
        const approval = this.#keyed(makeApproval(subject, config, newId(), nowMs));
        await this.#note(approval, { event: "requested", timeMs: nowMs });
        return approval;
      },
    });
    if (opened.kind === "opened") {
      const { id } = opened.approval;
      webhooks?.tell(opened.approval, this.#maskedArguments(subject), () => this.#isPending(id));
      this.#timers.watch(opened.approval);
    }
    return opened;
  }

  /**
   * Takes a person's decision.
   *
   * @throws ApprovalError where it does not count
   */
  async rule(id: string, said: Ruling): Promise<Approval> {
    requireReason(said.reason);
    const ruling = this.#scrubbed(said);
    const ruled = await this.#change(id, (approval, nowMs) => {
      const { approver, channel, reason } = ruling;
      const after = rule(approval, ruling, nowMs);
      const event = ruling.verdict === "approve" ? "approved" : "denied";
      const voice = { by: approver.name, channel, reason };
      return { after, step: { event, timeMs: nowMs, voice } };
    });
    if (ruled?.kind === "over") throw closed(ruled.approval);
    if (ruled?.after === undefined) throw unknown(id);
    this.#watch.tell(ruled.after);
    return ruled.after;
  }

  /** Takes an approval for one request; of many that try at once one gets it. */
  async claim(id: string, uses: number, decisionId: string): Promise<Approval | undefined> {
    const claimed = await this.#change(id, (approval, nowMs) => {
      const after = claim(approval, { uses, decisionId }, nowMs);
      const step = { event: "used", timeMs: nowMs, forDecisionId: decisionId } as const;
      return after && { after, step };
    });
    return claimed?.kind === "done" ? claimed.after : undefined;
  }

  /**
   * Undoes a claim whose request never left, so that the same call may run on the approval after all.
   * What cannot be undone now is tried again before the next request; never rejects.
   */
  async giveBack(id: string, claimed: Claim): Promise<void> {
    const { decisionId, uses } = claimed;
    try {
      await this.#change(id, (approval, nowMs) => {
        const after = giveBack(approval, claimed, nowMs);
        const step = { event: "given_back", timeMs: nowMs, forDecisionId: decisionId } as const;
        return after && { after, step };
      });
      this.#owed.delete(id);
    } catch (thrown) {
      // Who took a retry is not written down, so it could be another one's by then.
      if (uses === 0) this.#owed.set(id, claimed);
      const reason = messageOf(thrown);
      this.#options.log.warn({ approval: id, reason }, "unused approval not given back");
    }
  }

  /** Takes a request back, unless somebody else in this process waits for it too. */
  async withdraw(id: string): Promise<void> {
    if (this.#watch.waitingFor(id) > 0) return;
    const withdrawn = await this.#change(id, (approval, nowMs) => {
      const after = withdraw(approval, nowMs);
      return after && { after, step: { event: "withdrawn", timeMs: nowMs } };
    });
    const after = withdrawn?.kind === "done" ? withdrawn.after : undefined;
    if (after !== undefined) this.#watch.tell(after);
  }

  /** Resolves when people decided; with `undefined` when `signal` aborts before. */
  async settled(id: string, signal: AbortSignal): Promise<Approval | undefined> {
    const settled = await this.#watch.settled(id, signal);
    if (settled !== undefined) await this.#writeDownIfExpired(settled);
    return settled;
  }

  /** All that are kept, newest first; what has run out says so. */
  async list(): Promise<readonly Approval[]> {
    const all = await this.#options.store.list();
    const nowMs = this.#options.clock.nowMs();
    return all.map((one) => ({ ...one, status: statusAt(one, nowMs) }));
  }

  /** @throws ApprovalError `approval_unknown` */
  async get(id: string): Promise<Approval> {
    const [found] = await this.#options.store.read([id]);
    if (found === undefined) throw unknown(id);
    await this.#writeDownIfExpired(found);
    return { ...found, status: statusAt(found, this.#options.clock.nowMs()) };
  }

  /** What was sent, while the approval is open; JSON text. */
  async argumentsOf(id: string): Promise<string | undefined> {
    return await this.#options.store.argumentsOf(id);
  }

  async close(): Promise<void> {
    const { webhooks, webhookGraceMs, store } = this.#options;
    this.#watch.close();
    this.#timers.close();
    await webhooks?.close(webhookGraceMs);
    await store.close();
  }

  /** Whoever asks first after a start learns what ran out meanwhile, and minds the time of the rest. */
  async #lookAtAll(): Promise<void> {
    for (const one of await this.#options.store.list()) {
      await this.#writeDownIfExpired(one);
      this.#timers.watch(one);
    }
  }

  async #closeExpired(id: string): Promise<void> {
    const { store, log } = this.#options;
    try {
      for (const one of await store.read([id])) await this.#writeDownIfExpired(one);
    } catch (thrown) {
      log.warn({ approval: id, reason: messageOf(thrown) }, "expired approval not closed");
    }
  }

  /** What ran out before anybody's eyes stays so, wherever the clock is set afterwards. */
  async #writeDownIfExpired(approval: Approval): Promise<void> {
    const { clock, log } = this.#options;
    if (expire(approval, clock.nowMs()) === undefined) return;
    const { id } = approval;
    await this.#change(id, () => undefined).catch((thrown: unknown) => {
      log.warn({ approval: id, reason: messageOf(thrown) }, "expired approval not closed");
    });
  }

  /**
   * Takes an approval one step further, on record before anybody sees it; where its time is over that
   * is written down in its place. Then others are told.
   */
  async #change(
    id: string,
    next: (approval: Approval, nowMs: number) => Step,
  ): Promise<Change | undefined> {
    const { store, webhooks } = this.#options;
    let taken: Step;
    const changed = await store.change(id, async (approval, nowMs) => {
      const over = expire(approval, nowMs);
      taken = over
        ? { after: over, step: { event: "expired", timeMs: nowMs } }
        : next(approval, nowMs);
      if (taken !== undefined) await this.#note(taken.after, taken.step);
      const result =
        over === undefined ? done(taken?.after) : ({ kind: "over", approval: over } as const);
      return { approval: taken?.after, result };
    });
    if (taken !== undefined) webhooks?.tellStep(taken.after, taken.step);
    return changed;
  }

  #scrubbed(ruling: Ruling): Ruling {
    const { reason } = ruling;
    return reason === null ? ruling : { ...ruling, reason: this.#options.scrub(reason) };
  }

  /** Kept for a day longer than the arguments, and told to webhooks. */
  #keyed(approval: Approval): Approval {
    const { keyed } = this.#options;
    const { binding, args_sha256 } = approval;
    return {
      ...approval,
      binding: keyed("binding", binding),
      args_sha256: keyed("arguments", args_sha256),
    };
  }

  /** Where nothing can hide secrets, nothing is told. */
  #maskedArguments(subject: ApprovalSubject): string {
    const sent = this.#options.maskSent?.(subject.sent, subject.hints) ?? {};
    return shownArguments({ ...subject, sent });
  }

  /** Webhooks may ring on while the store is away. */
  async #isPending(id: string): Promise<boolean> {
    const { store, clock } = this.#options;
    const found = await store.read([id]).catch(() => undefined);
    return found === undefined || found.some((one) => statusAt(one, clock.nowMs()) === "pending");
  }

  async #note(approval: Approval, step: ApprovalStep): Promise<void> {
    const { decisionLog, newId } = this.#options;
    await decisionLog.note(approvalNote(approval, step, newId()));
  }
}

function done(after: Approval | undefined): Change {
  return { kind: "done", after };
}

function requireReason(reason: string | null): void {
  if (reason === null || reason.length <= maxReasonCharacters) return;
  throw new ApprovalError(
    "approval_reason_invalid",
    `expected a reason of at most ${maxReasonCharacters} characters, found ${reason.length}`,
  );
}

function unknown(id: string): ApprovalError {
  return new ApprovalError(
    "approval_unknown",
    `expected an approval, found none with id ${JSON.stringify(id.slice(0, 64))}; see approval list`,
  );
}
