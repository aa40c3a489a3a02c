/**
 * Looks up a claim by the name or path of a claim mapping.
 */
import { isRecord } from "../../../contract/json.ts";

/**
 * The value of a claim, `undefined` where there is none. A claim whose whole name is the path wins,
 * dots and all (`https://example.com/agent`); else the path goes down into objects at its dots,
 * longest name first.
 */
export function claimAt(claims: Readonly<Record<string, unknown>>, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  for (let dot = path.lastIndexOf("."); dot > 0; dot = path.lastIndexOf(".", dot - 1)) {
    const name = path.slice(0, dot);
    const inner = Object.hasOwn(claims, name) ? claims[name] : undefined;
    const found = isRecord(inner) ? claimAt(inner, path.slice(dot + 1)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}
