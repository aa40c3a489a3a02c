/**
 * One layer's verdict as the record keeps it: snake_case, whole, without the members that are empty
 * or undefined, because most layers say nothing about most calls.
 */
import type { ApprovalRequest, LayerOutput, LayerVerdict } from "../contract/layer.ts";

type Members = Readonly<Record<string, unknown>>;

/** The JSON value of a verdict. */
export function encodeLayer(verdict: LayerVerdict): Members {
  if (!verdict.ok) {
    return { ...verdict.layer, error: { code: verdict.code, message: verdict.message } };
  }
  const encoded: Record<string, unknown> = {};
  Object.assign(encoded, verdict.layer);
  keepOutput(encoded, verdict.output);
  return encoded;
}

const placed: ReadonlySet<string> = new Set([
  "allow",
  "deny",
  "requireApproval",
  "hide",
  "dataClasses",
  "parentCapabilities",
  "warn",
]);

function keepOutput(kept: Record<string, unknown>, output: LayerOutput): void {
  for (const [name, value] of Object.entries(output))
    if (!placed.has(name)) keep(kept, name, value);
  keep(kept, "allow", output.allow.map(withoutEmpty));
  keep(kept, "deny", output.deny.map(withoutEmpty));
  keep(kept, "require_approval", output.requireApproval.map(encodeApproval));
  keep(kept, "hide", output.hide.map(withoutEmpty));
  keep(kept, "data_classes", output.dataClasses);
  keep(kept, "parent_capabilities", output.parentCapabilities);
  keep(kept, "warn", output.warn.map(withoutEmpty));
}

function encodeApproval({ ttlSeconds, ...request }: ApprovalRequest): Members {
  return withoutEmpty({ ...request, ttl_seconds: ttlSeconds });
}

function withoutEmpty(members: object): Members {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(members)) keep(kept, name, value);
  return kept;
}

function keep(kept: Record<string, unknown>, name: string, value: unknown): void {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return;
  kept[name] = value;
}
