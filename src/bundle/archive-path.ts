/**
 * Names of files inside an archive. A good name means one file to every reader: relative after its
 * leading `/` or `./`, no `..`, no backslash, no control character. Nothing is ever extracted, so
 * this protects against two readers seeing two things, not against writing outside a folder.
 */
import { BundleError } from "./bundle-error.ts";

const maxPathBytes = 512;
const forbidden = /[\u0000-\u001f\u007f\\]/;

/**
 * The canonical name: without the leading `/` or `./` that OPA and tar write.
 *
 * @throws BundleError `bundle_archive_unsafe`
 */
export function archivePath(name: string): string {
  const path = name.replace(/^(?:\.?\/)/, "");
  const segments = path.split("/");
  const clear =
    Buffer.byteLength(path) <= maxPathBytes &&
    !forbidden.test(path) &&
    path.isWellFormed() &&
    segments.every((segment) => segment !== "" && segment !== "." && segment !== "..");
  if (clear) return path;
  throw new BundleError(
    "bundle_archive_unsafe",
    `bundle archive: expected relative file names without "..", backslashes or control characters and of at most ${maxPathBytes} bytes, found ${JSON.stringify(name.slice(0, 100))}`,
  );
}

/** Equal for names that some file system or reader takes for the same: case and normal form. */
export function foldPath(path: string): string {
  return path.normalize("NFKC").toUpperCase().toLowerCase().normalize("NFKC");
}
