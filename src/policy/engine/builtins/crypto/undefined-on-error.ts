/**
 * For builtins that call what throws, as Node's cryptography does: what OPA reports as an error of
 * the builtin is undefined.
 */
import type { Builtin } from "../builtin.ts";

/** The builtin with its exceptions as undefined answers. */
export function undefinedOnError(builtin: Builtin): Builtin {
  return (operands, context) => {
    try {
      return builtin(operands, context);
    } catch {
      return undefined;
    }
  };
}
