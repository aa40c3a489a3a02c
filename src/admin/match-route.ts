/**
 * Finds the route of a request. Segments are compared decoded and whole, but for a last one that
 * takes the rest; what cannot be decoded is no path.
 */
import { AdminError } from "./admin-error.ts";
import type { AdminRoute } from "./admin-route.ts";

export interface MatchedRoute {
  readonly route: AdminRoute;
  readonly params: Readonly<Record<string, string>>;
}

/**
 * The route of a method and a path, without its query.
 *
 * @throws AdminError `admin_not_found`, `admin_method_unknown`
 */
export function matchRoute(
  routes: readonly AdminRoute[],
  method: string,
  path: string,
): MatchedRoute {
  const segments = path.split("/").map(decodeOrUndefined);
  const found = routes.flatMap((route): MatchedRoute[] => {
    const params = paramsOf(route.path.split("/"), segments);
    return params === undefined ? [] : [{ route, params }];
  });
  const matched = found.find(({ route }) => route.method === method);
  if (matched !== undefined) return matched;
  if (found.length === 0) {
    throw new AdminError(
      "admin_not_found",
      "expected a path of the admin interface, found another",
    );
  }
  const known = found.map(({ route }) => route.method).join(" or ");
  throw new AdminError("admin_method_unknown", `expected ${known} for this path, found another`);
}

function paramsOf(
  pattern: readonly string[],
  segments: readonly (string | undefined)[],
): Readonly<Record<string, string>> | undefined {
  const takesRest = pattern.at(-1)?.endsWith("*") === true;
  if (takesRest ? segments.length < pattern.length : segments.length !== pattern.length) {
    return undefined;
  }
  const params: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const segment = part.endsWith("*") ? joined(segments.slice(index)) : segments[index];
    if (segment === undefined) return undefined;
    if (part.startsWith(":") && segment !== "") params[part.slice(1).replace("*", "")] = segment;
    else if (part !== segment) return undefined;
  }
  return params;
}

function joined(segments: readonly (string | undefined)[]): string | undefined {
  return segments.every((segment) => segment !== undefined) ? segments.join("/") : undefined;
}

function decodeOrUndefined(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
