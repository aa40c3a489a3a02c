/**
 * The shape of what is said about the decision record: where it goes, how sure it is, and who vouches
 * for it.
 */
import * as z from "zod/mini";
import { durationSchema } from "./duration.ts";
import { exportSchema } from "./export-schema.ts";
import { maskingSchema } from "./masking-schema.ts";

const text = z.string().check(z.minLength(1));

const checkpoints = z.strictObject({
  folder: z
    .optional(text)
    .check(z.describe("Where checkpoints are kept; default checkpoints in the state folder")),
  key: z
    .optional(text)
    .check(z.describe("Private key, Ed25519, PEM; default: made once in the state folder")),
  every: z._default(durationSchema, "1m").check(z.describe("How often a gateway makes one")),
});

const days = z.int().check(z.minimum(1), z.maximum(36_500));

const retention = z
  .strictObject({
    payload_days: z
      .optional(days)
      .check(z.describe("How long inputs and answers are kept; default as long as headers")),
    header_days: z
      .optional(days)
      .check(z.describe("How long decisions are kept at all; default for ever")),
  })
  .check(
    z.refine(
      ({ payload_days: payload = 0, header_days: header = payload }) => header >= payload,
      "expected header_days to be at least payload_days",
    ),
  );

export const decisionsSchema = z.strictObject({
  store: z._default(text, "embedded").check(z.describe('"embedded" or a postgres:// URL')),
  durability: z._default(z.enum(["sync", "async"]), "sync"),
  on_failure: z._default(z.enum(["fail_operation", "shutdown", "continue"]), "fail_operation"),
  spool_max_bytes: z.optional(z.int().check(z.minimum(65_536), z.maximum(Number.MAX_SAFE_INTEGER))),
  checkpoints: z.prefault(checkpoints, {}),
  masking: z.prefault(maskingSchema, {}),
  retention: z.prefault(retention, {}),
  export: z.optional(exportSchema),
});
