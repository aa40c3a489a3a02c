/**
 * Progress as it came over the wire. SDKs forget who wants to hear of a request as soon as they read
 * its answer, and pass a step on one tick after they read it: of what came in one read with the
 * answer behind it their programs hear nothing, whoever sent it.
 */
import { z } from "zod";
import type { Json } from "./matrix-client.ts";

/** A step of a request in flight, or one under a token that no such request has. */
export interface WireStep {
  readonly token: unknown;
  readonly isStray: boolean;
  readonly params: Json;
  /** False where the SDK read the answer before it could pass the step on. */
  isPassedOn: boolean;
}

/** Transports of both SDKs; what is set as `onmessage` before they are connected is called first. */
interface Tappable {
  onmessage?(message: unknown): void;
  send(message: object, options?: object): Promise<void>;
}

const identity = z.union([z.string(), z.number()]);
const request = z.object({
  id: identity,
  params: z.object({ _meta: z.object({ progressToken: identity }) }),
});
const answer = z.object({ id: identity, method: z.undefined().optional() });
const notice = z.object({
  method: z.literal("notifications/progress"),
  params: z.looseObject({ progressToken: z.unknown() }),
});

/** Records every step that comes in from now on; to be called before the SDK connects. */
export function tapProgress(transport: Tappable): readonly WireStep[] {
  const steps: WireStep[] = [];
  const tokens = new Map<unknown, unknown>();
  const isAboutToBePassedOn = new Set<WireStep>();
  const hearStep = ({ progressToken, ...params }: z.output<typeof notice>["params"]): void => {
    const isStray = ![...tokens.values()].includes(progressToken);
    const step = { token: progressToken, isStray, params, isPassedOn: !isStray };
    steps.push(step);
    isAboutToBePassedOn.add(step);
    queueMicrotask(() => isAboutToBePassedOn.delete(step));
  };
  const hearAnswer = (id: unknown): void => {
    for (const step of isAboutToBePassedOn) {
      if (step.token === tokens.get(id)) step.isPassedOn = false;
    }
    tokens.delete(id);
  };
  const send = transport.send.bind(transport);
  transport.send = async (message, options) => {
    const sent = request.safeParse(message);
    if (sent.success) tokens.set(sent.data.id, sent.data.params._meta.progressToken);
    await send(message, options);
  };
  const hear = (message: unknown): void => {
    const answered = answer.safeParse(message);
    if (answered.success) hearAnswer(answered.data.id);
    const told = notice.safeParse(message);
    if (told.success) hearStep(told.data.params);
  };
  Object.assign(transport, { onmessage: hear });
  return steps;
}
