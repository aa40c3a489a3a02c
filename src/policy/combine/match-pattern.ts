/**
 * How patterns of capabilities and ceilings name tools, and what is no tool.
 */
import { matchesPattern } from "../../contract/name-pattern.ts";

/**
 * True for a pattern of the tool's own name, or of `server/tool`. What is no tool has its type in
 * front (`resource_read:file:///x`): a pattern has to say the type too, and a URI that climbs out of
 * where its pattern ends (`/../`) is not inside, since its server may follow it.
 */
export function matchesToolPattern(pattern: string, server: string, tool: string): boolean {
  const own = pattern.startsWith(`${server}/`) ? pattern.slice(server.length + 1) : pattern;
  const isMatch = matchesPattern(pattern, pattern.includes("/") ? `${server}/${tool}` : tool);
  if (!isMatch || own === "*" || !tool.includes(":")) return isMatch;
  const isInPath = own.endsWith("*") && own.includes("/");
  return own.includes(":") && !(isInPath && climbs(tool.slice(own.length - 1)));
}

const dotSegment = /(?:^|[/\\]|%2f|%5c)(?:\.|%2e){2}(?:$|[/\\?#;]|%2f|%5c)/i;

/** RFC 3986 §5.2.4, in any spelling that somebody may decode. */
function climbs(rest: string): boolean {
  return dotSegment.test(rest);
}
