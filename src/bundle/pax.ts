/**
 * PAX extended headers: `LENGTH KEY=VALUE\n` records before an entry. The only one with a meaning
 * here is `path`; times, owners and vendor attributes say nothing about content and are passed
 * over; everything else (`size`, `linkpath`, sparse maps, unknown keys) would make this reader and
 * another see different files, and is refused.
 */
import { BundleError } from "./bundle-error.ts";

const passedOver = /^(?:[amc]time|[ug]id|[ug]name|comment|LIBARCHIVE\..+|SCHILY\..+)$/;

/**
 * Reads the records of one header and returns the `path` they give, if any.
 *
 * @throws BundleError `bundle_archive_unsafe`
 */
export function readPaxPath(records: Buffer): string | undefined {
  let path: string | undefined;
  for (let at = 0; at < records.length;) {
    const { key, value, length } = readRecord(records.subarray(at));
    if (key === "path") {
      if (path !== undefined) throw unsafe("two paths");
      path = decode(value);
    } else if (!passedOver.test(key)) {
      throw unsafe(`the record ${JSON.stringify(key)}`);
    }
    at += length;
  }
  return path;
}

/** The one record that gives a path longer than a ustar header holds. */
export function writePaxPath(path: string): Buffer {
  const rest = Buffer.from(` path=${path}\n`);
  let length = rest.length + String(rest.length).length;
  if (rest.length + String(length).length > length) length += 1;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function readRecord(records: Buffer): {
  readonly key: string;
  readonly value: Buffer;
  readonly length: number;
} {
  const head = /^([1-9][0-9]{0,5}) ([^=\n]+)=/.exec(records.toString("latin1", 0, 512));
  const length = Number(head?.[1]);
  if (head === null || length > records.length || records[length - 1] !== 0x0a) {
    throw unsafe("a malformed record");
  }
  return { key: head[2] ?? "", value: records.subarray(head[0].length, length - 1), length };
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (thrown) {
    throw unsafe("a path that is not UTF-8", thrown);
  }
}

function unsafe(found: string, cause?: unknown): BundleError {
  return new BundleError(
    "bundle_archive_unsafe",
    `bundle archive: expected a PAX header with a path and nothing that changes content, found ${found}`,
    { cause },
  );
}
