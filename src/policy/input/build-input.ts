/**
 * Builds the input document of DESIGN's version 1 as JSON text. Arguments go in as the text that was
 * judged strictly at the wire and that the upstream will receive; the rest is written here.
 */
import type {
  AgentIdentity,
  ClientClaim,
  ConversationContext,
  EnvironmentFacts,
  InputParts,
  PolicyAction,
  UserIdentity,
} from "../../contract/policy-input.ts";
import type { Classification } from "./classify.ts";

/** Who acts and where. */
export interface Actor {
  readonly agent: AgentIdentity;
  readonly user: UserIdentity;
  readonly environment: EnvironmentFacts;
}

export interface CallFacts {
  readonly actor: Actor;
  readonly client: ClientClaim;
  readonly action: PolicyAction;
  /** Members of `action` that a client or a server sent: `args`, `message`, …; JSON text. */
  readonly sent: Readonly<Record<string, string>>;
  readonly classification: Classification;
  readonly context: ConversationContext;
  /** The part of the conversation that belongs to the action's own server. */
  readonly serverContext: ConversationContext;
  readonly timeMs: number;
}

/** The input of one action, in the parts that the engine joins. */
export function buildCallInput(facts: CallFacts): InputParts {
  const { actor } = facts;
  const agent = { ...actor.agent, client: facts.client };
  const environment = { ...actor.environment, time: new Date(facts.timeMs).toISOString() };
  const sent = Object.entries(facts.sent).map(([name, text]) => `,${JSON.stringify(name)}:${text}`);
  return {
    open: `${openDocument("call", agent, actor)},"action":{${actionMembers(facts.action)}${sent.join("")}`,
    dataClasses: facts.classification.dataClasses,
    labels: facts.classification.labels,
    contextJson: JSON.stringify(facts.context),
    serverContextJson: JSON.stringify(facts.serverContext),
    close: `,"environment":${JSON.stringify(environment)},"usage":{},"approval":null`,
  };
}

/**
 * The whole list-phase input of one tool, prompt or resource: no arguments, no client, no conversation, no time, so
 * that a list and a call come to the same verdict about what the agent may see.
 */
export function buildListInput(
  actor: Actor,
  action: PolicyAction,
  classification: Classification,
): string {
  const classes = `"data_classes_referenced":${JSON.stringify(classification.dataClasses)},"labels":${JSON.stringify(classification.labels)}`;
  const environment = JSON.stringify(actor.environment);
  return `${openDocument("list", actor.agent, actor)},"action":{${actionMembers(action)},${classes}},"environment":${environment}}`;
}

function openDocument(phase: "list" | "call", agent: object, actor: Actor): string {
  return `{"version":1,"phase":"${phase}","agent":${JSON.stringify(agent)},"user":${JSON.stringify(actor.user)}`;
}

/** Members of `action` that both phases have, without braces. */
function actionMembers(action: PolicyAction): string {
  const { type, direction, server, about, annotations, definition_digest, destination } = action;
  const members = {
    type,
    direction,
    server,
    ...about,
    annotations,
    definition_digest,
    destination,
  };
  return JSON.stringify(members).slice(1, -1);
}
