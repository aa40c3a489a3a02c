/**
 * A decision as OPA's decision log has it (`EventV1`), for consumers that know nothing of this
 * gateway. Values keep their text. What OPA has no member for is under `custom.mcp_gateway`.
 */
import { isRecord } from "../../contract/json.ts";
import { jsonMembers, toJsonObject } from "../../contract/json-members.ts";

/** Members that both have, in OPA's order. */
const shared = [
  "labels",
  "decision_id",
  "bundles",
  "path",
  "input",
  "result",
  "nd_builtin_cache",
  "erased",
  "masked",
  "requested_by",
  "timestamp",
  "metrics",
];

/** OPA's `bundles` have a revision and nothing else; the digests stay with our own members. */
const kept = new Set(["bundles"]);

/** The JSON text of the event; `undefined` for what is no decision. */
export function opaEvent(record: string): string | undefined {
  const members = membersOf(record);
  if (members?.get("kind") !== '"admission"') return undefined;
  const event = new Map<string, string>();
  for (const name of shared) {
    const value = members.get(name);
    if (value === undefined || value === "null") continue;
    event.set(name, name === "bundles" ? revisionsOf(value) : value);
  }
  const own = [...members].filter(
    ([name]) => name !== "kind" && (kept.has(name) || !shared.includes(name)),
  );
  event.set("custom", `{"mcp_gateway":${toJsonObject(new Map(own))}}`);
  return toJsonObject(event);
}

/** `undefined` of what is no JSON all through: its text would make the whole request none. */
function membersOf(record: string): ReadonlyMap<string, string> | undefined {
  try {
    JSON.parse(record);
    return jsonMembers(record);
  } catch {
    return undefined;
  }
}

function revisionsOf(bundles: string): string {
  const value: unknown = JSON.parse(bundles);
  if (!isRecord(value)) return "{}";
  const revisions = Object.entries(value).map(([name, bundle]) => {
    const revision = isRecord(bundle) ? bundle["revision"] : undefined;
    return [name, typeof revision === "string" ? { revision } : {}];
  });
  return JSON.stringify(Object.fromEntries(revisions));
}
