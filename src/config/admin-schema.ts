/**
 * `admin` in the configuration: its shape, and what has to be true of it: it listens on this machine
 * alone, and somebody may come in, each by a token of their own.
 */
import * as z from "zod/mini";
import { adminRoles } from "./admin-config.ts";
import type { AdminAddress, AdminConfig } from "./admin-config.ts";
import { valueAt } from "./config-document.ts";
import type { ConfigPath, Finding } from "./config-document.ts";

const text = z.string().check(z.minLength(1));

const token = z.strictObject({
  name: z
    .string()
    .check(z.minLength(1), z.maxLength(256))
    .check(z.describe("Who it is, in records")),
  sha256: z
    .string()
    .check(z.regex(/^[0-9a-f]{64}$/, { error: "expected 64 lower-case hexadecimal digits" }))
    .check(z.describe("SHA-256 of the bearer token")),
  roles: z.array(z.enum(adminRoles)).check(z.minLength(1)),
});

/** The member `admin`. */
export const adminSchema = z.prefault(
  z.strictObject({
    http: z.optional(text).check(z.describe("127.0.0.1:PORT or [::1]:PORT, beside the socket")),
    tokens: z._default(z.array(token), []),
  }),
  {},
);

/** From the file's names to the code's. */
export function resolveAdmin({ http, tokens }: z.output<typeof adminSchema>): AdminConfig {
  return { http: loopbackAddress(http), tokens };
}

/** Findings about `admin`. */
export function adminFindings(value: unknown): readonly Finding[] {
  const path: ConfigPath = ["admin", "http"];
  const http = valueAt(value, path);
  const tokens = valueAt(value, ["admin", "tokens"]);
  const listed: readonly unknown[] = Array.isArray(tokens) ? tokens : [];
  const doubles = ["name", "sha256"].flatMap((key) => duplicateFindings(listed, key));
  if (typeof http !== "string" || http === "") return doubles;
  if (loopbackAddress(http) === undefined) {
    const message =
      "admin.http: expected 127.0.0.1:PORT or [::1]:PORT, found another address; for others put a proxy in front that knows them";
    return [...doubles, { path, message }];
  }
  if (listed.length > 0) return doubles;
  const message = "admin.http: expected admin.tokens beside it, found none: nobody could come in";
  return [...doubles, { path, atKey: true, message }];
}

/** `undefined` where nothing is said, or nothing that is loopback; `localhost` may be anything. */
function loopbackAddress(address: string | undefined): AdminAddress | undefined {
  const [, host, digits] = /^(127(?:\.\d{1,3}){3}|\[::1\]):(\d{1,5})$/.exec(address ?? "") ?? [];
  const port = Number(digits);
  if (host === undefined || !(port <= 65_535)) return undefined;
  return { host: host === "[::1]" ? "::1" : host, port };
}

/** Two names of one token, or two tokens of one name, would make a record say who it was not. */
function duplicateFindings(tokens: readonly unknown[], key: string): readonly Finding[] {
  const seen = new Set<string>();
  return tokens.flatMap((each, index) => {
    const found = valueAt(each, [key]);
    if (typeof found !== "string") return [];
    if (!seen.has(found)) {
      seen.add(found);
      return [];
    }
    const path: ConfigPath = ["admin", "tokens", index, key];
    return [{ path, message: `admin.tokens.${index}.${key}: expected each ${key} once` }];
  });
}
