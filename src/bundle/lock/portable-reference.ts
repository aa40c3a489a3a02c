/**
 * A reference as a lock has it: folders are meant relative to the lock, so that a lock that is
 * committed means the same on every machine.
 */
import { relative, sep } from "node:path";
import { resolvePolicyReference } from "../../config/policy-reference.ts";
import { formatReference, parseReference } from "../reference.ts";

/** The reference, its folder relative to that of the lock. */
export function portableReference(folder: string, reference: string): string {
  const parsed = parseReference(reference);
  if (parsed.scheme !== "oci-layout") return formatReference(parsed);
  const path = relative(folder, parsed.path).split(sep).join("/");
  return formatReference({ ...parsed, path: path === "" ? "." : path });
}

/** True where a reference of the lock is this one of the configuration. */
export function isSameReference(folder: string, locked: string, configured: string): boolean {
  const resolved = resolvePolicyReference(folder, locked);
  if (!resolved.ok) return false;
  try {
    return formatReference(parseReference(resolved.reference)) === normalized(configured);
  } catch {
    return false;
  }
}

function normalized(reference: string): string {
  return formatReference(parseReference(reference));
}
