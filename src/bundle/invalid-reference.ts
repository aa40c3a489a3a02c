/**
 * The error of a reference that is none.
 */
import { BundleError } from "./bundle-error.ts";

/** A user name or password in a reference is refused, and quoted nowhere. */
export function invalidReference(text: string, expected: string, found: string): BundleError {
  const shown = text.replace(/^([a-z+-]+:\/\/).*@(?!sha(?:256|512):)/is, "$1***@");
  const what =
    shown === text ? found : "credentials in it; they belong under registries in the config";
  return new BundleError(
    "bundle_reference_invalid",
    `bundle reference "${shown}": expected ${expected}, found ${what}`,
  );
}
