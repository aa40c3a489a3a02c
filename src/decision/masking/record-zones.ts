/**
 * Which parts of a record somebody else wrote. What clients and servers send may hold anything; what
 * policies say may repeat it; who acted is looked at for keys and tokens alone; what the gateway
 * itself writes (ids, times, digests, effects) stays as it is, so that nobody can have it hidden.
 */
import type { DetectorKind } from "../../contract/detector-kind.ts";

export type Zone = "content" | "said" | "identity" | "fixed";

export interface ZoneTree {
  readonly zone: Zone;
  readonly members?: Readonly<Record<string, ZoneTree>>;
  /** Of members that are not named, and of items. */
  readonly others?: ZoneTree;
}

const fixed: ZoneTree = { zone: "fixed" };
const said: ZoneTree = { zone: "said" };
const identity: ZoneTree = { zone: "identity" };
const content: ZoneTree = { zone: "content" };

const layer: ZoneTree = {
  zone: "said",
  members: { name: fixed, kind: fixed, revision: fixed, digest: fixed },
};

const input: ZoneTree = {
  zone: "fixed",
  members: {
    agent: { zone: "identity", members: { client: { zone: "said" } } },
    user: identity,
    action: {
      zone: "content",
      members: {
        type: fixed,
        direction: fixed,
        server: fixed,
        definition_digest: fixed,
        annotations: fixed,
        destination: fixed,
        data_classes_referenced: fixed,
        labels: fixed,
        tool: said,
        prompt: said,
      },
    },
    context: identity,
    approval: said,
    denials: said,
    result: content,
  },
};

/** Every kind of record: no name means one thing here and another there. */
export const recordZones: ZoneTree = {
  zone: "said",
  members: {
    kind: fixed,
    decision_id: fixed,
    timestamp: fixed,
    labels: fixed,
    tenant: fixed,
    action_type: fixed,
    path: fixed,
    bundles: fixed,
    args_sha256: fixed,
    result_sha256: fixed,
    result_bytes: fixed,
    outcome: fixed,
    metrics: fixed,
    posture: fixed,
    server: fixed,
    layer: fixed,
    layer_kind: fixed,
    digest: fixed,
    previous_digest: fixed,
    event: fixed,
    channel: fixed,
    approval_id: fixed,
    for_decision_id: fixed,
    expires_at: fixed,
    difference: fixed,
    action: fixed,
    agent: identity,
    user: identity,
    requested_by: identity,
    by: identity,
    signers: identity,
    input,
    nd_builtin_cache: content,
    result: {
      zone: "said",
      members: {
        allow: fixed,
        effect: fixed,
        enforced: fixed,
        metadata: {
          zone: "said",
          members: { decision_id: fixed, bundles: fixed, policy_version: fixed },
        },
      },
    },
    layers: { zone: "said", others: layer },
    was: { zone: "said", members: { effect: fixed } },
    would: { zone: "said", members: { effect: fixed } },
  },
};

/** The part of a tree that a member or item of it is. */
export function zoneOf({ zone, members, others }: ZoneTree, name: string | undefined): ZoneTree {
  const named = name !== undefined && members !== undefined && Object.hasOwn(members, name);
  return (named ? members[name] : others) ?? { zone };
}

/** What is looked for in a zone; nobody's name is hidden for being an address. */
export function kindsIn(zone: Zone, kinds: readonly DetectorKind[]): readonly DetectorKind[] {
  switch (zone) {
    case "content":
    case "said":
      return kinds;
    case "identity":
      return kinds.filter((kind) => kind === "credential" || kind === "private_key");
    case "fixed":
      return [];
  }
}
