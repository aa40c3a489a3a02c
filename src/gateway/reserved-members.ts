/**
 * What only the gateway itself may say: members under its own prefix, in `_meta` and in the data of
 * errors. A server that says one is passed on without it.
 */
import { isRecord } from "../contract/json.ts";
import { isReserved } from "../contract/reserved-key.ts";

type Members = Readonly<Record<string, unknown>>;

const subscriptionKey = "io.modelcontextprotocol/subscriptionId";

/** The members without those under the gateway's prefix; the same object where there are none. */
export function withoutReserved(members: Members): Members {
  if (!Object.keys(members).some(isReserved)) return members;
  return Object.fromEntries(Object.entries(members).filter(([key]) => !isReserved(key)));
}

/** Params of a notification as a server may say them: whose subscription it is, its front knows. */
export function withoutReservedMeta(params: Members): Members {
  const { _meta: meta, ...rest } = params;
  if (!isRecord(meta)) return rest;
  const { [subscriptionKey]: _, ...kept } = withoutReserved(meta);
  return Object.keys(kept).length === 0 ? rest : { ...rest, _meta: kept };
}
