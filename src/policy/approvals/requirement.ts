/**
 * What one `require_approval` element asks of people, in a form that can be kept: who may agree, where,
 * and for how long. Only the organisation's layers name people or accept the client as a channel; what
 * a server's own bundle says about either is not heard, because its author is the one being checked.
 */
import type { ApprovalRequest, LayerIdentity } from "../../contract/layer.ts";
import { baseName } from "../../contract/layer.ts";
import { canonicalJson } from "../../contract/canonical-json.ts";
import { sha256Of } from "../../contract/sha256.ts";

/** Where a decision of a person comes in. */
export const approvalChannels = ["client", "cli", "admin"] as const;
export type ApprovalChannel = (typeof approvalChannels)[number];

/** One element, without what its policy only says to readers. */
export interface ApprovalTerms {
  /** Digest of layer, rule, code and terms: another rule, or other people, is another requirement. */
  readonly key: string;
  readonly layer: string;
  readonly rule: string;
  readonly title: string | null;
  /** Names, `group:NAME` or `self`; empty: anybody but the requester. */
  readonly approvers: readonly string[];
  /** `client`, `cli`, `admin` or `console`; empty: all but the client. */
  readonly channels: readonly string[];
  /** False where the rule keeps to itself who is asked. */
  readonly is_disclosed: boolean;
}

/** What one layer asked. */
export interface AskedApproval {
  readonly layer: LayerIdentity;
  readonly match: ApprovalRequest;
}

/** The terms of one element. */
export function approvalTerms({ layer, match }: AskedApproval): ApprovalTerms {
  const isOrganisation = layer.kind !== "server";
  const approvers = isOrganisation ? match.approvers.toSorted() : [];
  const channels = isOrganisation ? match.channels.toSorted() : [];
  const { rule, code, title = null } = match;
  // A canary that asks the same of the same people asks nothing more.
  const name = baseName(layer);
  const key = sha256Of(canonicalJson([name, rule, code, approvers, channels]));
  const is_disclosed = match.disclose === "text";
  return { key, layer: name, rule, title, approvers, channels, is_disclosed };
}

/** True for a channel through which this requirement may be met. */
export function acceptsChannel(
  { channels }: Pick<ApprovalTerms, "channels">,
  channel: ApprovalChannel,
): boolean {
  if (channel === "client") return channels.includes("client");
  // The console is where operators sit: the command line and the admin interface.
  return channels.length === 0 || channels.includes(channel) || channels.includes("console");
}

/** Seconds that the shortest of the elements leaves; `undefined` where none says. */
export function shortestSeconds(asked: readonly AskedApproval[]): number | undefined {
  const said = asked.flatMap(({ match }) => match.ttlSeconds ?? []);
  return said.length === 0 ? undefined : Math.min(...said);
}
