/**
 * Runs one case through visibility, counters, all layers and the combining, with the gateway's own
 * functions. Where a person has agreed to what is held, it is decided again, as the gateway does.
 */
import { systemClock } from "../../../config/ambient.ts";
import type { InputParts } from "../../../contract/policy-input.ts";
import { parseRfc3339Ms } from "../../../contract/rfc3339.ts";
import type { Action, Decided, Target } from "../../../gateway/action/action.ts";
import { approvedUseOf } from "../../../gateway/action/approved-use.ts";
import type { Allowed } from "../../../gateway/action/conclude.ts";
import { decideCounted } from "../../../gateway/action/decide-counted.ts";
import { countedLayers } from "../../../gateway/usage/counted-layers.ts";
import { Usage } from "../../../gateway/usage/usage.ts";
import { noCanaries } from "../../../gateway/canaries/canaries.ts";
import { Visibility } from "../../../gateway/visibility.ts";
import type { ApprovalGrant } from "../../../policy/approvals/approval-grant.ts";
import { approvalInput } from "../../../policy/approvals/approval-grant.ts";
import { approvalTerms } from "../../../policy/approvals/requirement.ts";
import { buildCallInput } from "../../../policy/input/build-input.ts";
import { classify, detectSent } from "../../../policy/input/classify.ts";
import { exitCodes } from "../../exit-code.ts";
import { CliError } from "../../io.ts";
import { printable } from "../../printable.ts";
import { silentLog } from "./silent-log.ts";
import { actionOf, configOf, conversationOf, targetOf } from "./call-of-case.ts";
import type { Stack } from "./open-stack.ts";
import { presetStore, undeclaredCounter } from "./preset-usage.ts";
import type { StackCase } from "./stack-case.ts";

/** What the gateway would have decided. */
export async function runCase(stack: Stack, one: StackCase): Promise<Decided> {
  const config = configOf(stack.config, one);
  const action = actionOf(config, one, timeOf(one));
  const target = targetOf(config, one);
  const parts = { ...partsOf({ ...stack, config }, one, action.timeMs), config };
  const decide = async (asked: Action): Promise<Decided> =>
    await decideCounted(parts, asked, target, inputOf(config, one, asked, target));

  const decided = await decide(action);
  const approval = grantOf(one, { action, target }, decided);
  return approval === undefined ? decided : await decide({ ...action, approval });
}

function partsOf(
  { config, engine, layers }: Stack,
  { name, usage = {} }: StackCase,
  timeMs: number,
) {
  const undeclared = undeclaredCounter(usage, countedLayers(layers));
  if (undeclared !== undefined) {
    const message = `case "${name}": usage: expected counters that a layer declares, found "${undeclared}"`;
    throw new CliError(exitCodes.invalid, printable(message));
  }
  const clock = { nowMs: () => timeMs, monotonicMs: () => 0 };
  const open = async () => presetStore(usage);
  const canaries = noCanaries(config);
  return {
    engine,
    canaries,
    visibility: new Visibility({ config, engine, clock, canaries }),
    usage: new Usage({ config, open, layers: () => layers, clock, log: silentLog, keyed }),
  };
}

/** What is used is looked up by name, and kept nowhere. */
function keyed(_purpose: string, digest: string): string {
  return digest;
}

function inputOf(
  { environment }: Stack["config"],
  one: StackCase,
  { principal: { agent, user }, claim, sent, approval, timeMs }: Action,
  { server, tool, action }: Target,
): InputParts {
  const { everyone, own } = conversationOf(one);
  const found = detectSent(sent, action.about, server.detectors);
  return buildCallInput({
    actor: { agent, user, environment },
    client: claim,
    action,
    sent,
    approval: approval && approvalInput(approval),
    classification: classify(tool && server.tools.get(tool.name), found),
    context: everyone,
    serverContext: own,
    timeMs,
  });
}

function timeOf({ time }: StackCase): number {
  const said = time === undefined ? undefined : parseRfc3339Ms(time);
  return said ?? systemClock.nowMs();
}

/** What the people of the case agreed to, of what is held; `undefined` where that is nothing. */
function grantOf(
  { approval }: StackCase,
  about: Pick<Allowed, "action" | "target">,
  { combined }: Decided,
): ApprovalGrant | undefined {
  if (approval === undefined) return undefined;
  const held = combined.holds.filter(
    ({ match: { rule } }) => approval.rules?.includes(rule) ?? true,
  );
  if (held.length === 0) return undefined;
  return {
    id: "stack-test",
    use: approvedUseOf(about),
    approvedBy: approval.approved_by,
    at: new Date(about.action.timeMs).toISOString(),
    rules: [...new Set(held.map(({ match }) => match.rule))],
    keys: new Set(held.map((asked) => approvalTerms(asked).key)),
    uses: 0,
    isToBeClaimed: false,
  };
}
