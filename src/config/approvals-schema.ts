/**
 * The shape of `approvals`: how long a held call waits, who may decide, and who is told. What a policy
 * says about one call is in the policy; what holds for all of them is here.
 */
import * as z from "zod/mini";
import { isRecord } from "../contract/json.ts";
import { membersOf, valueAt } from "./config-document.ts";
import type { Finding } from "./config-document.ts";
import type { ApprovalsConfig } from "./approvals-config.ts";
import { durationSchema, parseDurationMs } from "./duration.ts";
import { isHttpsOrHere } from "./is-https-or-here.ts";

const name = z.string().check(z.minLength(1), z.maxLength(256));
const names = z.array(name);
/** Standard Webhooks: 24 to 64 bytes in base64. */
const secretShape = /^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/;
const secretMessage =
  "expected whsec_ and 24 to 64 random bytes in base64, such as whsec_$(openssl rand -base64 32)";

const approver = z.strictObject({
  groups: z._default(names, []).check(z.describe("What policies call group:NAME")),
  os_users: z
    .optional(names)
    .check(
      z.describe("Users of this machine whom the command line and the socket take for this person"),
    ),
});

/** Whom something is sent to, signed. */
export const receiverSchema = {
  name,
  url: name.check(z.describe("https, or http on this machine")),
  secret: z.string().check(z.regex(secretShape, { error: secretMessage })),
};

const webhook = z.strictObject({
  ...receiverSchema,
  include_arguments: z
    ._default(z.boolean(), false)
    .check(z.describe("True sends the arguments of the call, whatever is in them")),
});

/** `approvals` of the file. */
export const approvalsSchema = z.prefault(
  z.strictObject({
    wait: z
      ._default(durationSchema, "50s")
      .check(z.describe("How long a held call waits; less than its client's own timeout")),
    ttl: z
      ._default(durationSchema, "15m")
      .check(z.describe("How long a request is good for where its policy does not say")),
    max_ttl: z._default(durationSchema, "24h").check(z.describe("Whatever a policy says")),
    max_pending: z
      ._default(z.int().check(z.minimum(1), z.maximum(1000)), 20)
      .check(
        z.describe(
          "Requests of one user and agent at once; what was taken back counts for ten minutes",
        ),
      ),
    approvers: z
      ._default(z.record(name, approver), {})
      .check(z.describe("Who may decide, by name; default: whoever reaches a channel")),
    webhooks: z._default(z.array(webhook), []),
  }),
  {},
);

/** From the file's own names to those of the code. */
export function resolveApprovals(entry: z.output<typeof approvalsSchema>): ApprovalsConfig {
  return {
    waitMs: parseDurationMs(entry.wait),
    ttlMs: parseDurationMs(entry.ttl),
    maxTtlMs: parseDurationMs(entry.max_ttl),
    maxPending: entry.max_pending,
    approvers: new Map(
      Object.entries(entry.approvers).map(([person, { groups, os_users: osUsers }]) => [
        person,
        { groups, osUsers: osUsers ?? [person] },
      ]),
    ),
    webhooks: entry.webhooks.map(({ include_arguments: includeArguments, ...rest }) => ({
      ...rest,
      includeArguments,
    })),
  };
}

/** What a shape cannot say. */
export function approvalFindings(value: unknown): readonly Finding[] {
  return [...receiverFindings(value, ["approvals", "webhooks"]), ...approverFindings(value)];
}

/** What a shape cannot say of a list of receivers. */
export function receiverFindings(value: unknown, list: readonly string[]): readonly Finding[] {
  const webhooks = valueAt(value, list);
  if (!Array.isArray(webhooks)) return [];
  const named = webhooks.map((entry) => valueAt(entry, ["name"]));
  return webhooks.flatMap((entry, index) => {
    const path = [...list, index];
    const url = valueAt(entry, ["url"]);
    const isOdd = typeof url === "string" && !isHttpsOrHere(url);
    const message = `${path.join(".")}.url: expected https, or http on this machine, without a password in it`;
    const twice = `${path.join(".")}.name is already that of ${list.join(".")}.${named.indexOf(named[index])}`;
    const isTwice = typeof named[index] === "string" && named.indexOf(named[index]) < index;
    return [
      ...(isOdd ? [{ path: [...path, "url"], message }] : []),
      ...(isTwice ? [{ path: [...path, "name"], message: twice }] : []),
    ];
  });
}

/** One user of the machine is one person, or nobody could say who decided. */
function approverFindings(value: unknown): readonly Finding[] {
  const owners = new Map<string, string>();
  return membersOf(value, ["approvals", "approvers"]).flatMap(([person, entry]) => {
    const listed = isRecord(entry) ? entry["os_users"] : undefined;
    const users: readonly unknown[] = Array.isArray(listed) ? listed : [person];
    return users.flatMap((user) => {
      if (typeof user !== "string") return [];
      const owner = owners.get(user);
      owners.set(user, owner ?? person);
      if (owner === undefined) return [];
      const path = ["approvals", "approvers", person];
      const message = `approvals.approvers.${person}: the user ${JSON.stringify(user)} of this machine is already ${JSON.stringify(owner)}`;
      return [{ path, atKey: true, message }];
    });
  });
}
