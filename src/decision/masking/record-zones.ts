/**
 * Which parts of a record somebody else wrote. What clients and servers send may hold anything; what
 * policies say may repeat it; who acted is looked at for keys and tokens alone; what the gateway
 * itself writes (ids, times, digests, effects) stays as it is, so that nobody can have it hidden.
 */
import type { DetectorKind } from "../../contract/detector-kind.ts";

export type Zone = "content" | "said" | "identity" | "fixed";

export interface ZoneTree {
  readonly zone: Zone;
  readonly members?: ReadonlyMap<string, ZoneTree>;
  /** Of members that are not named, and of items. */
  readonly others?: ZoneTree;
}

const fixed: ZoneTree = { zone: "fixed" };
const said: ZoneTree = { zone: "said" };
const identity: ZoneTree = { zone: "identity" };
const content: ZoneTree = { zone: "content" };

const plain: Readonly<Record<Zone, ZoneTree>> = { content, said, identity, fixed };

const layer: ZoneTree = {
  zone: "said",
  members: named({ name: fixed, kind: fixed, revision: fixed, digest: fixed }),
};

/** What was sent, by the client or by a server. */
export const actionZones: ZoneTree = {
  zone: "content",
  members: named({
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
  }),
};

const input: ZoneTree = {
  zone: "fixed",
  members: named({
    agent: { zone: "identity", members: named({ client: { zone: "said" } }) },
    user: identity,
    action: actionZones,
    context: identity,
    approval: said,
    denials: said,
    result: content,
  }),
};

/** Every kind of record: no name means one thing here and another there. */
export const recordZones: ZoneTree = {
  zone: "said",
  members: named({
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
      members: named({
        allow: fixed,
        effect: fixed,
        enforced: fixed,
        metadata: {
          zone: "said",
          members: named({ decision_id: fixed, bundles: fixed, policy_version: fixed }),
        },
      }),
    },
    layers: { zone: "said", others: layer },
    was: { zone: "said", members: named({ effect: fixed }) },
    would: { zone: "said", members: named({ effect: fixed }) },
  }),
};

function named(members: Readonly<Record<string, ZoneTree>>): ReadonlyMap<string, ZoneTree> {
  return new Map(Object.entries(members));
}

/** The part of a tree that a member or item of it is. */
export function zoneOf(tree: ZoneTree, name: string | undefined): ZoneTree {
  const { members, others } = tree;
  if (members === undefined && others === undefined) return tree;
  return (name === undefined ? undefined : members?.get(name)) ?? others ?? plain[tree.zone];
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
