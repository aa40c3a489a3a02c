/**
 * The shape of `notify`: channels that a policy may name in an obligation. Who is told and how is the
 * operator's; a policy says only that they are.
 */
import * as z from "zod/mini";
import type { Finding } from "./config-document.ts";
import { receiverFindings, receiverSchema } from "./approvals-schema.ts";

/** Somebody who is told of calls. */
export interface NotifyChannel {
  /** What obligations call it. */
  readonly name: string;
  readonly url: string;
  /** `whsec_` and base64. */
  readonly secret: string;
}

/** `notify` of the file. */
export const notifySchema = z.prefault(
  z.strictObject({
    channels: z
      ._default(z.array(z.strictObject(receiverSchema)), [])
      .check(z.describe("Signed webhooks that an obligation notify may name")),
  }),
  {},
);

/** What a shape cannot say. */
export function notifyFindings(value: unknown): readonly Finding[] {
  return receiverFindings(value, ["notify", "channels"]);
}
