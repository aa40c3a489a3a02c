/**
 * What shapes cannot say about signatures: names that must exist, settings that exclude each other
 * or would have no effect. A weaker check than was meant is refused, never guessed.
 */
import { isRecord } from "../contract/json.ts";
import { membersOf, valueAt } from "./config-document.ts";
import type { ConfigPath, Finding } from "./config-document.ts";
import { policyPaths } from "./policy-paths.ts";
import { suggestKey } from "./suggest-key.ts";

/** Problems of `trust` and of every policy's `require` and `signers`. */
export function trustFindings(value: unknown): readonly Finding[] {
  const names = membersOf(value, ["trust"]).map(([name]) => name);
  const policies = policyPaths(value).map(({ owner, keys }) => [...owner, ...keys]);
  return [
    ...names.flatMap((name) => signerFindings(value, ["trust", name])),
    ...policies.flatMap((path) => policyFindings(value, path, names)),
  ];
}

function policyFindings(
  value: unknown,
  path: ConfigPath,
  names: readonly string[],
): readonly Finding[] {
  const policy = valueAt(value, path);
  if (!isRecord(policy)) return [];
  const { require, signers } = policy;
  const at = [...path, "signers"];
  if (signers === undefined) {
    if (require !== "signature" || names.length > 0) return [];
    return [
      finding([...path, "require"], "expected somebody in trust, or in signers; found nobody"),
    ];
  }
  if (!Array.isArray(signers)) return [];
  if (require !== undefined && require !== "signature") {
    return [finding(at, `signers have no effect with require ${JSON.stringify(require)}`)];
  }
  if (signers.length === 0) return [finding(at, "expected at least one signer, found none")];
  return signers.flatMap((signer: unknown, index) =>
    typeof signer === "string"
      ? nameFindings([...at, index], signer, names)
      : signerFindings(value, [...at, index]),
  );
}

function nameFindings(
  path: ConfigPath,
  name: string,
  names: readonly string[],
): readonly Finding[] {
  if (names.includes(name)) return [];
  const meant = suggestKey(name, names);
  const hint = meant === undefined ? "" : `; did you mean ${JSON.stringify(meant)}?`;
  return [finding(path, `expected a name in trust, found ${JSON.stringify(name)}${hint}`)];
}

function signerFindings(value: unknown, path: ConfigPath): readonly Finding[] {
  const signer = valueAt(value, path);
  if (!isRecord(signer) || signer["type"] !== "sigstore") return [];
  const given = ["identity", "identity_regex"].filter((key) => signer[key] !== undefined);
  if (given.length === 1) return [];
  return [finding(path, `expected identity or identity_regex, found ${given.length || "neither"}`)];
}

function finding(path: ConfigPath, message: string): Finding {
  return { path, message: `${path.join(".")}: ${message}` };
}
