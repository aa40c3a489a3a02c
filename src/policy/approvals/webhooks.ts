/**
 * Tells other systems that somebody is asked and what came of it, signed as Standard Webhooks has it: an
 * id, a time and an HMAC over both and the body, so that a receiver knows who says it and drops what it
 * had. A delivery never holds up a call. A question is tried again while somebody waits for the answer,
 * what came of it for a while, and neither after a restart.
 */
import { createHmac } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { WebhookConfig } from "../../config/approvals-config.ts";
import type { Clock, Log, NewId } from "../../contract/ambient.ts";
import { codeOf, messageOf } from "../../errors.ts";
import type { Approval } from "./approval.ts";
import type { ApprovalStep } from "./approval-note.ts";
import { requestBody, stepBody } from "./webhook-body.ts";

export interface WebhooksOptions {
  readonly webhooks: readonly WebhookConfig[];
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
  /** Before each further attempt; the last one repeats. */
  readonly retryAfterMs?: readonly number[];
}

const attemptTimeoutMs = 10_000;
/** For which an answer is tried again. */
const stepPatienceMs = 15 * 60_000;
const usualRetryMs = [1000, 5000, 30_000, 120_000, 600_000];

/** Whom something is sent to. */
type Receiver = Omit<WebhookConfig, "includeArguments">;

/** Of what nobody waits for. */
const maxUnderWay = 1000;

interface Delivery {
  readonly webhook: Receiver;
  readonly id: string;
  readonly body: string;
  readonly untilMs: number;
  /** Asked before each further attempt. */
  readonly isWanted: () => Promise<boolean>;
}

/** Deliveries under way; `close` gives them up. */
export class Webhooks {
  readonly #options: WebhooksOptions;
  readonly #closing = new AbortController();
  readonly #underWay = new Set<Promise<void>>();

  constructor(options: WebhooksOptions) {
    this.#options = options;
  }

  /** Begins to tell everybody who is configured, until `isWanted` says no; returns at once. */
  tell(approval: Approval, argumentsJson: string, isWanted: () => Promise<boolean>): void {
    const untilMs = Date.parse(approval.expires_at);
    for (const webhook of this.#options.webhooks) {
      const body = requestBody(approval, webhook.includeArguments ? argumentsJson : undefined);
      const id = `msg_${this.#options.newId()}`;
      this.#begin({ webhook, id, body, untilMs, isWanted }, approval.id);
    }
  }

  /** Begins to tell everybody who is configured what became of a request; returns at once. */
  tellStep(approval: Approval, step: ApprovalStep): void {
    const { webhooks, clock, log } = this.#options;
    const untilMs = clock.nowMs() + stepPatienceMs;
    for (const webhook of webhooks) {
      if (this.send(webhook, stepBody(approval, step), untilMs, approval.id)) continue;
      const about = { webhook: webhook.name, approval: approval.id, event: step.event };
      log.warn(about, "a webhook was not told; too much is on its way");
    }
  }

  /** Begins to tell one receiver of something else; false where too much is on its way already. */
  send(receiver: Receiver, body: string, untilMs: number, about: string): boolean {
    if (this.#underWay.size >= maxUnderWay) return false;
    const id = `msg_${this.#options.newId()}`;
    this.#begin({ webhook: receiver, id, body, untilMs, isWanted: async () => true }, about);
    return true;
  }

  /** Gives up what is under way, after `graceMs` in which it may still arrive. */
  async close(graceMs = 0): Promise<void> {
    if (graceMs > 0 && this.#underWay.size > 0) {
      const course = new AbortController();
      const grace = delay(graceMs, undefined, { signal: course.signal }).catch(() => undefined);
      await Promise.race([Promise.all(this.#underWay), grace]);
      course.abort();
    }
    this.#closing.abort();
  }

  #begin(delivery: Delivery, about: string): void {
    const course = this.#deliver(delivery, about);
    this.#underWay.add(course);
    void course.finally(() => this.#underWay.delete(course));
  }

  async #deliver(delivery: Delivery, approval: string): Promise<void> {
    const { clock, log, retryAfterMs = usualRetryMs } = this.#options;
    const about = { webhook: delivery.webhook.name, approval };
    for (let attempt = 0; clock.nowMs() < delivery.untilMs; attempt += 1) {
      const problem = await this.#attempt(delivery);
      if (problem === undefined || this.#closing.signal.aborted) return;
      log.warn({ ...about, attempt: attempt + 1, problem }, "webhook was not delivered");
      await this.#pause(retryAfterMs[attempt] ?? retryAfterMs.at(-1) ?? 0);
      if (this.#closing.signal.aborted || !(await delivery.isWanted())) return;
    }
    log.error(about, "webhook was never delivered");
  }

  /** What went wrong. A receiver that sends elsewhere is not followed: the body is for it alone. */
  async #attempt({ webhook, id, body }: Delivery): Promise<string | undefined> {
    const { fetch, clock } = this.#options;
    const timestamp = String(Math.floor(clock.nowMs() / 1000));
    try {
      const response = await fetch(webhook.url, {
        method: "POST",
        body,
        redirect: "error",
        headers: {
          "content-type": "application/json",
          "webhook-id": id,
          "webhook-timestamp": timestamp,
          "webhook-signature": signatureOf(webhook.secret, id, timestamp, body),
        },
        signal: AbortSignal.any([this.#closing.signal, AbortSignal.timeout(attemptTimeoutMs)]),
      });
      await response.body?.cancel();
      return response.ok ? undefined : `it answers ${response.status}`;
    } catch (thrown) {
      return codeOf(thrown) ?? messageOf(thrown);
    }
  }

  async #pause(milliseconds: number): Promise<void> {
    const { signal } = this.#closing;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      timer.unref();
      signal.addEventListener("abort", end, { once: true });
    });
  }
}

/** `v1,` and the HMAC of id, time and body. */
export function signatureOf(secret: string, id: string, timestamp: string, body: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const mac = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return `v1,${mac}`;
}
