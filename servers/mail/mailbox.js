// @ts-check
/**
 * The messages that have come in, and the outbox. A message is sent once it is in the outbox: in
 * memory, or as one JSON line of a file, so that a test can prove what was sent and what was not.
 */
import { appendFileSync, readFileSync } from "node:fs";
import * as z from "zod";

/** A message as it came in. `from_outside` says that a stranger may have written it. */
export const messageSchema = z.strictObject({
  id: z.string(),
  from: z.string(),
  subject: z.string(),
  received_at: z.string(),
  from_outside: z.boolean(),
  body: z.string(),
});

/** @typedef {z.infer<typeof messageSchema>} Message */
/** @typedef {{ to: string, subject: string, body: string }} Letter */

/**
 * What the tools do with the mail.
 *
 * @typedef {object} Mailbox
 * @property {() => Message[]} list
 * @property {(letter: Letter) => { id: string }} send
 */

/**
 * Opens the mailbox.
 *
 * @param {{ messagesFile: string, outboxFile: string | undefined, nowMs: () => number }} options
 * @returns {Mailbox}
 */
export function openMailbox({ messagesFile, outboxFile, nowMs }) {
  const messages = z.array(messageSchema).parse(JSON.parse(readFileSync(messagesFile, "utf8")));
  /** @type {object[]} */
  const outbox = [];
  return {
    list: () => messages,
    send({ to, subject, body }) {
      const sent = { id: `S-${outbox.length + 1}`, sent_at: isoTime(nowMs()), to, subject, body };
      if (outboxFile !== undefined) appendFileSync(outboxFile, `${JSON.stringify(sent)}\n`);
      outbox.push(sent);
      return { id: sent.id };
    },
  };
}

/** @param {number} timeMs */
function isoTime(timeMs) {
  return new Date(timeMs).toISOString();
}
