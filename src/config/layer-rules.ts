/**
 * What the shape of the organisation's layers cannot say: names that must differ, conditions that
 * must be able to come true, and an end for whatever is only observed.
 */
import { matchesPattern } from "../contract/name-pattern.ts";
import { parseRfc3339Ms } from "../contract/rfc3339.ts";
import { membersOf, valueAt } from "./config-document.ts";
import type { ConfigPath, Finding } from "./config-document.ts";

/** All problems of `layers` that no schema finds. */
export function layerFindings(value: unknown): readonly Finding[] {
  return layersIn(value).flatMap(({ layer, path }) => [
    ...nameFindings(value, layer, path),
    ...patternFindings(layer, path),
    ...serverFindings(value, layer, path),
    ...regionFindings(value, layer, path),
    ...untilFindings(layer, path),
  ]);
}

/** Layers in `observe`: where that is said, and of which layer. */
export function observedLayers(
  value: unknown,
): readonly { readonly path: ConfigPath; readonly layer: string }[] {
  return layersIn(value).flatMap(({ layer, path }) => {
    if (valueAt(layer, ["mode"]) !== "observe") return [];
    return [{ path: [...path, "mode"], layer: String(valueAt(layer, ["name"])) }];
  });
}

/** Milliseconds since the epoch of a date (its 00:00 UTC) or a moment; `undefined` for neither. */
export function observedUntilMs(until: string | undefined): number | undefined {
  if (until === undefined) return undefined;
  const isDate = /^\d{4}-\d{2}-\d{2}$/.test(until);
  return parseRfc3339Ms(isDate ? `${until}T00:00:00Z` : until);
}

interface LayerPlace {
  readonly layer: unknown;
  readonly path: ConfigPath;
}

function layersIn(value: unknown): readonly LayerPlace[] {
  const layers = valueAt(value, ["layers"]);
  if (!Array.isArray(layers)) return [];
  return layers.map((layer: unknown, index) => ({ layer, path: ["layers", index] }));
}

function nameFindings(value: unknown, layer: unknown, owner: ConfigPath): readonly Finding[] {
  const name = valueAt(layer, ["name"]);
  if (typeof name !== "string") return [];
  const path = [...owner, "name"];
  const quoted = JSON.stringify(name);
  const names = layersIn(value).map((other) => valueAt(other.layer, ["name"]));
  const first = names.indexOf(name);
  if (first !== owner[1]) {
    return [{ path, message: `layer name ${quoted} is already that of layers.${first}` }];
  }
  if (!membersOf(value, ["servers"]).some(([id]) => id === name)) return [];
  return [{ path, message: `layer name ${quoted} is also that of a server; rename one of them` }];
}

/** A star that is no wildcard would leave the layer out of what it is meant for. */
function patternFindings(layer: unknown, owner: ConfigPath): readonly Finding[] {
  return ["servers", "agents", "regions"].flatMap((key) =>
    textsAt(layer, ["when", key]).flatMap(({ text, index }) => {
      const path = [...owner, "when", key, index];
      if (!text.slice(0, -1).includes("*")) return [];
      const message = `${path.join(".")}: expected an exact name, or one with a "*" at its end, found another "*"`;
      return [{ path, message }];
    }),
  );
}

/** A misspelt server would never be asked about. */
function serverFindings(value: unknown, layer: unknown, owner: ConfigPath): readonly Finding[] {
  const servers = membersOf(value, ["servers"]).map(([id]) => id);
  return textsAt(layer, ["when", "servers"]).flatMap(({ text, index }) => {
    const path = [...owner, "when", "servers", index];
    if (text.slice(0, -1).includes("*")) return [];
    if (servers.some((id) => matchesPattern(text, id))) return [];
    const known = servers.length === 0 ? "none" : servers.join(", ");
    const message = `${path.join(".")}: expected a server of servers (${known}), found ${JSON.stringify(text)}`;
    return [{ path, message }];
  });
}

function regionFindings(value: unknown, layer: unknown, owner: ConfigPath): readonly Finding[] {
  const path = [...owner, "when", "regions"];
  if (valueAt(layer, ["when", "regions"]) === undefined) return [];
  if (typeof valueAt(value, ["environment", "region"]) === "string") return [];
  const message = `${path.join(".")}: expected environment.region to be set, found none; the layer would never be asked`;
  return [{ path, message }];
}

function untilFindings(layer: unknown, owner: ConfigPath): readonly Finding[] {
  const isObserved = valueAt(layer, ["mode"]) === "observe";
  const until = valueAt(layer, ["until"]);
  const path = [...owner, "until"];
  const place = path.join(".");
  if (isObserved && until === undefined) {
    const message = `${owner.join(".")}: expected until, the end of observe; after it the layer is enforced`;
    return [{ path: [...owner, "mode"], message }];
  }
  if (!isObserved && until !== undefined) {
    return [{ path, message: `${place}: expected mode "observe" beside it, found another` }];
  }
  if (typeof until !== "string" || observedUntilMs(until) !== undefined) return [];
  const message = `${place}: expected a date, such as 2026-12-31, or a moment with its offset (RFC 3339), found ${JSON.stringify(until)}`;
  return [{ path, message }];
}

function textsAt(
  value: unknown,
  path: ConfigPath,
): readonly { readonly text: string; readonly index: number }[] {
  const found = valueAt(value, path);
  if (!Array.isArray(found)) return [];
  return found.flatMap((text: unknown, index) =>
    typeof text === "string" ? [{ text, index }] : [],
  );
}
