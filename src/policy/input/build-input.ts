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
  /** `input.approval`: what people agreed to for this very action. */
  readonly approval?: object | undefined;
}

/** What is known of an action that nobody was asked about: no context, and perhaps no destination. */
export type RefusedFacts = Omit<CallFacts, "action" | "context" | "serverContext"> & {
  readonly action: NamedAction;
};

type NamedAction = Omit<PolicyAction, "destination"> & Partial<Pick<PolicyAction, "destination">>;

/** The input of one action, in the parts that the engine joins. */
export function buildCallInput(facts: CallFacts): InputParts {
  return {
    open: openCall(facts),
    dataClasses: facts.classification.dataClasses,
    detectedClasses: facts.classification.detectedClasses,
    labels: facts.classification.labels,
    contextJson: JSON.stringify(facts.context),
    serverContextJson: JSON.stringify(facts.serverContext),
    close: closeCall(facts),
  };
}

const callStart = '{"version":1,"phase":"call"';

/**
 * The input about what came back: that of the call with its result, and with what is known of its
 * classes. `resultJson`: what came back, as `input.result`.
 */
export function toResultPhase(
  parts: InputParts,
  { dataClasses, labels }: Classification,
  resultJson: string,
): InputParts {
  if (!parts.open.startsWith(callStart)) throw new Error("expected the input of a call");
  const open = `{"version":1,"phase":"result"${parts.open.slice(callStart.length)}`;
  return { ...parts, open, dataClasses, labels, close: `${parts.close},"result":${resultJson}` };
}

/** The same document of an action that was refused before policy was asked, whole. */
export function buildRefusalInput(facts: RefusedFacts): string {
  return `${openCall(facts)},${classMembers(facts.classification)}},"usage":{}${closeCall(facts)}}`;
}

function openCall({ actor, client, action, sent }: RefusedFacts): string {
  const agent = Object.assign({}, actor.agent, { client });
  const members = Object.entries(sent).map(([name, text]) => `,${JSON.stringify(name)}:${text}`);
  return `${openDocument("call", agent, actor)},"action":{${actionMembers(action)}${members.join("")}`;
}

function closeCall({ actor, timeMs, approval }: RefusedFacts): string {
  const time = new Date(timeMs).toISOString();
  const environment = Object.assign({}, actor.environment, { time });
  return `,"environment":${JSON.stringify(environment)},"approval":${JSON.stringify(approval ?? null)}`;
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
  const members = `${actionMembers(action)},${classMembers(classification)}`;
  const environment = JSON.stringify(actor.environment);
  return `${openDocument("list", actor.agent, actor)},"action":{${members}},"environment":${environment}}`;
}

function classMembers({ dataClasses, labels }: Classification): string {
  return `"data_classes_referenced":${JSON.stringify(dataClasses)},"labels":${JSON.stringify(labels)}`;
}

function openDocument(phase: "list" | "call", agent: object, actor: Actor): string {
  return `{"version":1,"phase":"${phase}","agent":${JSON.stringify(agent)},"user":${JSON.stringify(actor.user)}`;
}

/** Members of `action` that both phases have, without braces. */
function actionMembers(action: NamedAction): string {
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
