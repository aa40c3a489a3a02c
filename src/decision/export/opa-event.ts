/**
 * A decision as OPA's decision log has it (`EventV1`), for consumers that know nothing of this
 * gateway. Values keep their text. What OPA has no member for is under `custom.mcp_gateway`.
 */
import { isRecord } from "../../contract/json.ts";
import { topLevelMembers } from "./top-level-members.ts";

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
  const members = topLevelMembers(record);
  if (members?.get("kind") !== '"admission"') return undefined;
  const known = shared.flatMap((name) => {
    const value = members.get(name);
    if (value === undefined || value === "null") return [];
    return [memberOf(name, name === "bundles" ? revisionsOf(value) : value)];
  });
  const others = [...members].filter(
    ([name]) => name !== "kind" && (kept.has(name) || !shared.includes(name)),
  );
  const own = others.map(([name, value]) => memberOf(name, value)).join(",");
  return `{${[...known, `"custom":{"mcp_gateway":{${own}}}`].join(",")}}`;
}

function memberOf(name: string, value: string): string {
  return `${JSON.stringify(name)}:${value}`;
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
