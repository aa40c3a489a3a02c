/**
 * The files of a package while it is made: each is written to a folder of its own and described, so
 * that a long record is never in memory at once, and read again when the package is written.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { PackageManifest } from "./package-manifest.ts";

const pieceBytes = 256 * 1024;

/** A file of a package, ready to be read. */
export interface PackagePart {
  readonly name: string;
  readonly bytes: number;
  readonly read: () => AsyncIterable<Buffer> | Iterable<Buffer>;
}

/** A part that is in memory. */
export function partOf(name: string, content: Buffer): PackagePart {
  return { name, bytes: content.length, read: () => [content] };
}

/** All parts, in the order in which they were ended. */
export class PackageParts {
  readonly #folder: string;
  readonly #parts: PackagePart[] = [];
  readonly #described: PackageManifest["files"] = [];

  /** `folder` exists, is nobody else's, and is removed by whoever made it. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  get parts(): readonly PackagePart[] {
    return this.#parts;
  }

  /** As a manifest lists them. */
  get described(): PackageManifest["files"] {
    return this.#described;
  }

  /** Begins a part; nothing is there before its `end`. */
  begin(name: string): PartDraft {
    const path = join(this.#folder, String(this.#parts.length));
    return new PartDraft(path, ({ bytes, sha256 }) => {
      this.#parts.push({ name, bytes, read: () => createReadStream(path) });
      this.#described.push({ name, sha256, bytes });
    });
  }

  /** Adds a part whose content is known, unless it is there. */
  async add(name: string, content: Buffer | string): Promise<void> {
    if (this.#parts.some((part) => part.name === name)) return;
    const draft = this.begin(name);
    await draft.append(content);
    await draft.end();
  }
}

/** One part while it is written. */
export class PartDraft {
  readonly #path: string;
  readonly #onEnd: (found: { readonly bytes: number; readonly sha256: string }) => void;
  readonly #hash = createHash("sha256");
  #file: FileHandle | undefined;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #bytes = 0;

  constructor(path: string, onEnd: (found: { bytes: number; sha256: string }) => void) {
    this.#path = path;
    this.#onEnd = onEnd;
  }

  async append(content: Buffer | string): Promise<void> {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes >= pieceBytes) await this.#flush();
  }

  /** Makes it a part of the package. */
  async end(): Promise<void> {
    await this.#flush();
    await this.#file?.close();
    this.#onEnd({ bytes: this.#bytes, sha256: this.#hash.digest("hex") });
  }

  async #flush(): Promise<void> {
    this.#file ??= await open(this.#path, "w", 0o600);
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    await this.#file.writeFile(bytes);
  }
}
