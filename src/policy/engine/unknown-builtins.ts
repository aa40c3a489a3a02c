/**
 * What to say of builtins that a module needs and the gateway does not have.
 */
import { refusedBuiltins } from "../../contract/host-builtins.ts";

/** Names all of them, and for those that are refused on purpose the reason. */
export function unknownBuiltins(names: readonly string[]): string {
  const reasons = names.flatMap((name) => {
    const reason = refusedBuiltins[name];
    return reason === undefined ? [] : [`${name}: ${reason}`];
  });
  return [
    `expected builtins that the gateway has, found ${names.join(", ")}`,
    ...reasons,
    `"mcp-gateway policy check" names the rules that call them`,
  ].join("; ");
}
