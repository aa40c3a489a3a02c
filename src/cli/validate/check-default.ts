/**
 * Whether a server's `default` and the rules of its policy go together: a policy that only refuses
 * needs one, and one that grants has no use for it.
 */
import type { ServerConfig } from "../../config/config.ts";
import type { Bundle } from "../../contract/bundle.ts";
import { isRecord } from "../../contract/json.ts";
import { hasGrants } from "../../gateway/policies/has-grants.ts";

/** What to warn of; `undefined` where they fit, or where the bundle does not say what rules it has. */
export function checkDefault(
  { id, defaultEffect }: Pick<ServerConfig, "id" | "defaultEffect">,
  metadata: Bundle["metadata"],
): string | undefined {
  const { rules, written_for: project } = metadata;
  // An answer of Envoy's grants by itself, by whatever rule.
  const isEnvoy = project === "envoy" || (isRecord(project) && project["project"] === "envoy");
  if (!Array.isArray(rules) || isEnvoy) return undefined;
  const isAllowed = defaultEffect === "allow";
  if (hasGrants(metadata)) {
    return isAllowed ? "default has no effect: the policy has rules that grant" : undefined;
  }
  if (isAllowed) return undefined;
  return `the policy has no rule that grants, so every call is denied with no_rule_allows; write one (allow), or say servers.${id}.default "allow" where what it does not refuse may pass`;
}
