/**
 * What a shape cannot say: settings that a profile refuses, names that must differ, references that
 * must be of a known kind, members of this product that this version does not have yet. Works on a
 * value that may still have the wrong shape, so that all problems of a file are told at once.
 */
import { isRecord } from "../contract/json.ts";
import { adminFindings } from "./admin-schema.ts";
import { approvalFindings } from "./approvals-schema.ts";
import { notifyFindings } from "./notify-schema.ts";
import { membersOf, valueAt } from "./config-document.ts";
import type { ConfigPath, Finding } from "./config-document.ts";
import { policyPaths } from "./policy-paths.ts";
import { resolvePolicyReference } from "./policy-reference.ts";
import { exportFindings } from "./export-schema.ts";
import { companionFindings } from "./companion-rules.ts";
import { agentFindings } from "./agent-rules.ts";
import { layerFindings, observedLayers } from "./layer-rules.ts";
import { authorizationFindings, transportFindings } from "./connection-rules.ts";
import { maskingFindings, unmaskedKinds } from "./masking-schema.ts";
import { opaqueSources } from "./opaque-rules.ts";
import { telemetryFindings } from "./telemetry-schema.ts";
import { trustFindings } from "./trust-rules.ts";
import { unsupportedFindings } from "./unsupported-settings.ts";

/** A setting that weakens a promise; `strict` refuses it and `trial` records it. */
interface Weakening {
  readonly path: ConfigPath;
  /** As the posture names it. */
  readonly name: string;
  readonly value: string;
  readonly use: string;
}

const weakening: readonly Weakening[] = [
  weakeningAt(["decisions", "durability"], "async", "sync"),
  weakeningAt(["decisions", "on_failure"], "continue", "fail_operation"),
];

/** All problems that no schema finds. `folder` is the one that paths are relative to. */
export function checkRules(value: unknown, folder: string): readonly Finding[] {
  return [
    ...unsupportedFindings(value),
    ...profileFindings(value),
    ...transportFindings(value),
    ...authorizationFindings(value),
    ...adminFindings(value),
    ...telemetryFindings(value),
    ...layerFindings(value),
    ...companionFindings(value),
    ...agentFindings(value),
    ...referenceFindings(value, folder),
    ...releaseFindings(value, folder),
    ...trustFindings(value),
    ...storeFindings(value),
    ...maskingFindings(value),
    ...exportFindings(value),
    ...stateFindings(value),
    ...sharingFindings(value),
    ...approvalFindings(value),
    ...notifyFindings(value),
    ...registryFindings(value),
  ];
}

/** `strict`, or `trial:` with the settings that weaken it. */
export function postureOf(value: unknown): string {
  if (valueAt(value, ["profile"]) !== "trial") return "strict";
  const settings = weakeningOf(value).map(({ name, value }) => `${name}=${value}`);
  return `trial:${settings.length === 0 ? "none" : settings.join(",")}`;
}

function weakeningAt(path: ConfigPath, value: string, use: string): Weakening {
  return { path, name: path.join("."), value, use };
}

function weakeningOf(value: unknown): readonly Weakening[] {
  const observed = observedLayers(value).map(({ path, layer }) => {
    return { ...weakeningAt(path, "observe", "enforce"), name: `layers.${layer}.mode` };
  });
  const opaque = opaqueSources(value).map(({ path, name }) => {
    return { ...weakeningAt(path, "accept", "refuse"), name };
  });
  const plain = weakening.filter((setting) => valueAt(value, setting.path) === setting.value);
  const unmasked = unmaskedKinds(value).map(({ path, kind }) =>
    weakeningAt(path, `no ${kind}`, kind),
  );
  return [...plain, ...observed, ...opaque, ...unmasked];
}

function profileFindings(value: unknown): readonly Finding[] {
  if (valueAt(value, ["profile"]) === "trial") return [];
  return weakeningOf(value).map(({ path, value, use }) => ({
    path,
    message: `${path.join(".")}: profile "strict" refuses "${value}"; use "${use}", or profile "trial", which every record then shows`,
  }));
}

function referenceFindings(value: unknown, folder: string): readonly Finding[] {
  return policyPaths(value).flatMap(({ owner, keys }) => {
    const short: ConfigPath = [...owner, ...keys];
    const path = isRecord(valueAt(value, short)) ? [...short, "bundle"] : short;
    const reference = valueAt(value, path);
    if (typeof reference !== "string" || reference === "") return [];
    const result = resolvePolicyReference(folder, reference);
    return result.ok ? [] : [{ path, message: `${path.join(".")}: ${result.message}` }];
  });
}

function releaseFindings(value: unknown, folder: string): readonly Finding[] {
  return membersOf(value, ["servers"]).flatMap(([id]) => {
    const path = ["servers", id, "release"];
    const reference = valueAt(value, path);
    if (typeof reference !== "string" || reference === "") return [];
    const isArtifact = /^oci(?::\/\/|-layout:)/.test(reference);
    if (isArtifact && resolvePolicyReference(folder, reference).ok) return [];
    const expected = "expected oci://HOST/REPOSITORY:TAG or oci-layout:PATH:TAG of a release";
    return [{ path, message: `${path.join(".")}: ${expected}, found another kind of reference` }];
  });
}

function storeFindings(value: unknown): readonly Finding[] {
  const path = ["decisions", "store"];
  const store = valueAt(value, path);
  if (typeof store !== "string" || store === "" || store === "embedded") return [];
  const isPostgres = /^postgres(ql)?:\/\//.test(store) && URL.canParse(store);
  const message = `decisions.store: expected "embedded" or a postgres:// URL, found another string`;
  return isPostgres ? [] : [{ path, message }];
}

function stateFindings(value: unknown): readonly Finding[] {
  const path = ["state", "redis_url"];
  const url = valueAt(value, path);
  if (typeof url !== "string" || url === "") return [];
  if (/^rediss?:\/\//.test(url) && URL.canParse(url)) return [];
  const message = "state.redis_url: expected a redis:// or rediss:// URL, found another string";
  return [{ path, message }];
}

/** What is shared has to be somewhere. */
function sharingFindings(value: unknown): readonly Finding[] {
  const path = ["state", "conversations"];
  const store = valueAt(value, ["decisions", "store"]);
  if (valueAt(value, path) !== "shared") return [];
  const hasRedis = valueAt(value, ["state", "redis_url"]) !== undefined;
  if (hasRedis || (typeof store === "string" && store !== "embedded")) return [];
  const message = `state.conversations: "shared" needs state.redis_url or a postgres:// URL in decisions.store, found ${store === undefined ? "none" : '"embedded"'}`;
  return [{ path, message }];
}

const hostShape = /^[A-Za-z0-9.-]+(:\d{1,5})?$|^\[[0-9a-fA-F:]+\](:\d{1,5})?$/;

function registryFindings(value: unknown): readonly Finding[] {
  return membersOf(value, ["registries"]).flatMap(([host, entry]) => {
    const path = ["registries", host];
    if (!hostShape.test(host)) {
      const message = "expected a registry's host and port in registries, without scheme and path";
      return [{ path, atKey: true, message }];
    }
    return [...pairFindings(entry, path), ...hostFindings(entry, path)];
  });
}

/** Keys that mean nothing one without the other, and ways to sign in that exclude each other. */
function pairFindings(entry: unknown, path: ConfigPath): readonly Finding[] {
  const has = (key: string): boolean => valueAt(entry, [key]) !== undefined;
  const place = path.join(".");
  const ways = ["username", "token", "credential_helper"].filter(has);
  const pairs = [
    ["username", "password"],
    ["cert_file", "key_file"],
  ] as const;
  const halves = pairs.flatMap(([left, right]) => {
    if (has(left) === has(right)) return [];
    return [{ path, atKey: true, message: `${place}: expected ${left} and ${right} together` }];
  });
  if (ways.length < 2) return halves;
  const message = `${place}: expected one way to sign in, found ${ways.join(" and ")}`;
  return [...halves, { path, atKey: true, message }];
}

function hostFindings(entry: unknown, path: ConfigPath): readonly Finding[] {
  const lists = ["trusted_realms", "redirect_hosts"].flatMap((key) => {
    const hosts = valueAt(entry, [key]);
    return Array.isArray(hosts) ? hosts.map((host, index) => ({ host, at: [key, index] })) : [];
  });
  const mirrors = valueAt(entry, ["mirrors"]);
  const named = (Array.isArray(mirrors) ? mirrors : []).map((mirror, index) => ({
    host: valueAt(mirror, ["host"]),
    at: ["mirrors", index, "host"],
  }));
  return [...lists, ...named].flatMap(({ host, at }) => {
    if (typeof host !== "string" || host === "" || hostShape.test(host)) return [];
    const message = `${[...path, ...at].join(".")}: expected a host and port, without scheme and path`;
    return [{ path: [...path, ...at], message }];
  });
}
