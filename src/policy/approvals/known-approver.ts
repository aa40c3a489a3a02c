/**
 * Who somebody is to the policies, given the name under which a channel knows them. Without a list in
 * the configuration everybody who reaches a channel is somebody of that name and no group; with one,
 * nobody else decides.
 */
import type { ApprovalsConfig } from "../../config/approvals-config.ts";
import type { Approver } from "./approval-changes.ts";
import { ApprovalError } from "./approval-error.ts";

/**
 * Somebody at the command line, or at the socket of the admin interface, by the names of the process:
 * its user, and whom `sudo` names.
 *
 * @throws ApprovalError `approval_not_approver`
 */
export function approverOfSystem(config: ApprovalsConfig, users: readonly string[]): Approver {
  const [user = ""] = users;
  if (config.approvers.size === 0) return { name: user, names: users, groups: [] };
  for (const [name, { osUsers, groups }] of config.approvers) {
    if (osUsers.includes(user)) return { name, names: [name, ...users, ...osUsers], groups };
  }
  throw unlisted(`the user "${user}" of this machine`);
}

/**
 * Somebody whom the admin interface knows by the name of a token. Users of the machine have no say in
 * it: a token that is called like one is not that user's person.
 *
 * @throws ApprovalError `approval_not_approver`
 */
export function approverOfToken(config: ApprovalsConfig, token: string): Approver {
  if (config.approvers.size === 0) return { name: token, names: [token], groups: [] };
  const person = config.approvers.get(token);
  if (person === undefined) throw unlisted(`the token "${token}"`);
  return { name: token, names: [token, ...person.osUsers], groups: person.groups };
}

function unlisted(who: string): ApprovalError {
  return new ApprovalError(
    "approval_not_approver",
    `expected somebody in approvals.approvers of the configuration, found ${who}`,
  );
}
