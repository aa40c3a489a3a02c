/**
 * Approvals with their record: what a held call asks, what people decide, what a call uses. Each step
 * is durable in the decision log before anybody can see it, so that no call runs on an agreement that
 * nobody could show.
 */
import type { ApprovalsConfig } from "../../config/approvals-config.ts";
import type { Clock, Log, NewId } from "../../contract/ambient.ts";
import type { ApprovalRecord, DecisionLog } from "../../contract/record.ts";
import { messageOf } from "../../errors.ts";
import type { Approval, ApprovalVoice } from "./approval.ts";
import { statusAt } from "./approval.ts";
import type { Ruling } from "./approval-changes.ts";
import { claim, closed, expire, rule, withdraw } from "./approval-changes.ts";
import { ApprovalError } from "./approval-error.ts";
import type { ApprovalStore, Changed, Opened } from "./approval-store.ts";
import type { ApprovalSubject } from "./approval-subject.ts";
import { bindingOf, makeApproval, shownArguments } from "./approval-subject.ts";
import { ApprovalWatch } from "./approval-watch.ts";
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
  /** `undefined` where nobody is told, as in commands. */
  readonly webhooks: Webhooks | undefined;
}

const maxReasonCharacters = 1000;

type Change<Result> =
  | { readonly kind: "done"; readonly result: Result }
  /** Its time was over. */
  | { readonly kind: "over"; readonly approval: Approval };

/** Everything about approvals that a gateway, a command or the admin interface does. */
export class Approvals {
  readonly #options: ApprovalsOptions;
  readonly #watch: ApprovalWatch;

  constructor(options: ApprovalsOptions) {
    const { store, clock, log, lookEveryMs: everyMs } = options;
    this.#options = options;
    this.#watch = new ApprovalWatch({ store, clock, log, everyMs });
  }

  /** Asks people about a held action; the same action that asked before gets what it got then. */
  async request(subject: ApprovalSubject): Promise<Opened> {
    const { store, config, newId, webhooks } = this.#options;
    await this.#writeDownExpired();
    const argumentsJson = shownArguments(subject);
    const opened = await store.open({
      binding: bindingOf(subject),
      principal: subject.principal.key,
      maxPending: config.maxPending,
      argumentsJson,
      make: async (nowMs) => {
        const approval = makeApproval(subject, config, newId(), nowMs);
        await this.#note(approval, "requested", nowMs);
        return approval;
      },
    });
    if (opened.kind === "opened") {
      const { id } = opened.approval;
      webhooks?.tell(opened.approval, argumentsJson, () => this.#isPending(id));
    }
    return opened;
  }

  /**
   * Takes a person's decision.
   *
   * @throws ApprovalError where it does not count
   */
  async rule(id: string, ruling: Ruling): Promise<Approval> {
    requireReason(ruling.reason);
    const ruled = await this.#change(id, async (approval, nowMs) => {
      const after = rule(approval, ruling, nowMs);
      const event = ruling.verdict === "approve" ? "approved" : "denied";
      const { approver, channel, reason } = ruling;
      await this.#note(after, event, nowMs, { by: approver.name, channel, reason });
      return { approval: after, result: after };
    });
    if (ruled === undefined) throw unknown(id);
    if (ruled.kind === "over") throw closed(ruled.approval);
    this.#watch.tell(ruled.result);
    return ruled.result;
  }

  /** Takes an approval for one request; of many that try at once one gets it. */
  async claim(id: string, uses: number, decisionId: string): Promise<Approval | undefined> {
    const claimed = await this.#change(id, async (approval, nowMs) => {
      const after = claim(approval, { uses, decisionId }, nowMs);
      if (after !== undefined) {
        await this.#note({ ...after, decision_id: decisionId }, "used", nowMs);
      }
      return { approval: after, result: after };
    });
    return claimed?.kind === "done" ? claimed.result : undefined;
  }

  /** Takes a request back, unless somebody else in this process waits for it too. */
  async withdraw(id: string): Promise<void> {
    if (this.#watch.waitingFor(id) > 0) return;
    const withdrawn = await this.#change(id, async (approval, nowMs) => {
      const after = withdraw(approval, nowMs);
      if (after !== undefined) await this.#note(after, "withdrawn", nowMs);
      return { approval: after, result: after };
    });
    const after = withdrawn?.kind === "done" ? withdrawn.result : undefined;
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
    this.#watch.close();
    this.#options.webhooks?.close();
    await this.#options.store.close();
  }

  /** Nobody acts when time runs out, so whoever comes next writes it down. */
  async #writeDownExpired(): Promise<void> {
    for (const one of await this.#options.store.list()) await this.#writeDownIfExpired(one);
  }

  /** What ran out before anybody's eyes stays so, wherever the clock is set afterwards. */
  async #writeDownIfExpired(approval: Approval): Promise<void> {
    const { clock, log } = this.#options;
    if (expire(approval, clock.nowMs()) === undefined) return;
    const { id } = approval;
    await this.#change(id, leaveAlone).catch((thrown: unknown) => {
      log.warn({ approval: id, reason: messageOf(thrown) }, "expired approval not closed");
    });
  }

  /** Changes an approval whose time is not over; where it is, that is written down in its place. */
  async #change<Result>(
    id: string,
    change: (approval: Approval, nowMs: number) => Promise<Changed<Result>>,
  ): Promise<Change<Result> | undefined> {
    return await this.#options.store.change<Change<Result>>(id, async (approval, nowMs) => {
      const over = expire(approval, nowMs);
      if (over === undefined) {
        const { approval: after, result } = await change(approval, nowMs);
        return { approval: after, result: { kind: "done", result } };
      }
      await this.#note(over, "expired", nowMs);
      return { approval: over, result: { kind: "over", approval: over } };
    });
  }

  /** Webhooks may ring on while the store is away. */
  async #isPending(id: string): Promise<boolean> {
    const { store, clock } = this.#options;
    const found = await store.read([id]).catch(() => undefined);
    return found === undefined || found.some((one) => statusAt(one, clock.nowMs()) === "pending");
  }

  async #note(
    approval: Approval,
    event: ApprovalRecord["event"],
    timeMs: number,
    voice?: Pick<ApprovalVoice, "by" | "channel" | "reason">,
  ): Promise<void> {
    const { tenant, server, tool, agent, user } = approval;
    await this.#options.decisionLog.note({
      kind: "approval",
      decisionId: this.#options.newId(),
      timeMs,
      tenant,
      approvalId: approval.id,
      event,
      forDecisionId: approval.decision_id,
      server,
      tool,
      agent,
      user,
      by: voice?.by ?? null,
      channel: voice?.channel ?? null,
      reason: voice?.reason ?? null,
      argsSha256: approval.args_sha256,
      expiresMs: Date.parse(approval.expires_at),
    });
  }
}

async function leaveAlone(): Promise<Changed<undefined>> {
  return { approval: undefined, result: undefined };
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
