/**
 * What a shape cannot say: settings that a profile refuses, names that must differ, references that
 * must be of a known kind, members of this product that this version does not have yet. Works on a
 * value that may still have the wrong shape, so that all problems of a file are told at once.
 */
import { isRecord } from "../contract/json.ts";
import { membersOf, valueAt } from "./config-document.ts";
import type { ConfigPath, Finding } from "./config-document.ts";
import { resolvePolicyReference } from "./policy-reference.ts";
import { authorizationFindings, transportFindings } from "./connection-rules.ts";
import { unsupportedFindings } from "./unsupported-settings.ts";

/** Settings that weaken a promise; `strict` refuses them and `trial` records them. */
const weakening: readonly { readonly path: ConfigPath; readonly value: string; use: string }[] = [
  { path: ["decisions", "durability"], value: "async", use: "sync" },
  { path: ["decisions", "on_failure"], value: "continue", use: "fail_operation" },
];

/** All problems that no schema finds. `folder` is the one that paths are relative to. */
export function checkRules(value: unknown, folder: string): readonly Finding[] {
  return [
    ...unsupportedFindings(value),
    ...profileFindings(value),
    ...transportFindings(value),
    ...authorizationFindings(value),
    ...layerFindings(value),
    ...referenceFindings(value, folder),
    ...storeFindings(value),
    ...registryFindings(value),
  ];
}

/** `strict`, or `trial:` with the settings that weaken it. */
export function postureOf(value: unknown): string {
  if (valueAt(value, ["profile"]) !== "trial") return "strict";
  const settings = weakeningOf(value).map(({ path, value }) => `${path.join(".")}=${value}`);
  return `trial:${settings.length === 0 ? "none" : settings.join(",")}`;
}

function weakeningOf(value: unknown): typeof weakening {
  return weakening.filter((setting) => valueAt(value, setting.path) === setting.value);
}

function profileFindings(value: unknown): readonly Finding[] {
  if (valueAt(value, ["profile"]) === "trial") return [];
  return weakeningOf(value).map(({ path, value, use }) => ({
    path,
    message: `${path.join(".")}: profile "strict" refuses "${value}"; use "${use}", or profile "trial", which every record then shows`,
  }));
}

function layerFindings(value: unknown): readonly Finding[] {
  const layers = valueAt(value, ["layers"]);
  if (!Array.isArray(layers)) return [];
  const servers = new Set(membersOf(value, ["servers"]).map(([id]) => id));
  const names = layers.map((layer) => valueAt(layer, ["name"]));
  return names.flatMap((name, index) => {
    const path = ["layers", index, "name"];
    if (typeof name !== "string") return [];
    const quoted = JSON.stringify(name);
    const first = names.indexOf(name);
    if (first < index) {
      return [{ path, message: `layer name ${quoted} is already that of layers.${first}` }];
    }
    if (!servers.has(name)) return [];
    return [{ path, message: `layer name ${quoted} is also that of a server; rename one of them` }];
  });
}

function referenceFindings(value: unknown, folder: string): readonly Finding[] {
  const layers = valueAt(value, ["layers"]);
  const owners: ConfigPath[] = [
    ...membersOf(value, ["servers"]).map(([id]) => ["servers", id]),
    ...(Array.isArray(layers) ? layers.map((_, index) => ["layers", index]) : []),
  ];
  return owners.flatMap((owner) => {
    const short: ConfigPath = [...owner, "policy"];
    const path = isRecord(valueAt(value, short)) ? [...short, "bundle"] : short;
    const reference = valueAt(value, path);
    if (typeof reference !== "string" || reference === "") return [];
    const result = resolvePolicyReference(folder, reference);
    return result.ok ? [] : [{ path, message: `${path.join(".")}: ${result.message}` }];
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

function registryFindings(value: unknown): readonly Finding[] {
  return membersOf(value, ["registries"]).flatMap(([host]) => {
    if (/^[A-Za-z0-9.-]+(:\d{1,5})?$|^\[[0-9a-fA-F:]+\](:\d{1,5})?$/.test(host)) return [];
    const message = "expected a registry's host and port in registries, without scheme and path";
    return [{ path: ["registries", host], atKey: true, message }];
  });
}
