/**
 * The shape of where counters and conversations are kept.
 */
import * as z from "zod/mini";

const text = z.string().check(z.minLength(1));

export const stateSchema = z.prefault(
  z.strictObject({
    redis_url: z
      .optional(text)
      .check(
        z.describe(
          "redis:// or rediss:// URL of the Redis or Valkey that keeps counters and shared conversations",
        ),
      ),
    conversations: z
      ._default(z.enum(["local", "shared"]), "local")
      .check(
        z.describe("shared: what was seen is in redis_url, else in decisions.store, for replicas"),
      ),
  }),
  {},
);
