/**
 * The few file operations of the spool, handed in so that a test can make each of them fail. The
 * promise of the whole record rests on `sync` and `syncFolder` telling the truth.
 */
import { close, constants, fdatasync, writeSync } from "node:fs";
import { mkdir, open, rm, statfs } from "node:fs/promises";
import { open as openDescriptor } from "node:fs";
import { promisify } from "node:util";

export interface SpoolFile {
  /** Writes all bytes at `position`; synchronous, because it ends in the page cache. */
  readonly write: (bytes: Uint8Array, position: number) => void;
  /** Resolves once what was written is on the disk (`fdatasync`). */
  readonly sync: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface SpoolFileSystem {
  readonly createFolder: (path: string) => Promise<void>;
  /** Creates a file that must not exist yet, mode 0600. */
  readonly createFile: (path: string) => Promise<SpoolFile>;
  /** Cuts a file through a descriptor of its own and syncs it. */
  readonly truncateFile: (path: string, bytes: number) => Promise<void>;
  /** Makes created and removed names in the folder durable. */
  readonly syncFolder: (path: string) => Promise<void>;
  readonly removeFile: (path: string) => Promise<void>;
  /** Bytes that an unprivileged process may still write. */
  readonly freeBytes: (path: string) => Promise<number>;
}

const openFile = promisify(openDescriptor);
const closeFile = promisify(close);
const syncFile = promisify(fdatasync);

/** The real one. */
export const nodeFileSystem: SpoolFileSystem = {
  createFolder: async (path) => {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  createFile: async (path) => {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
    const descriptor = await openFile(path, flags, 0o600);
    return {
      write: (bytes, position) => writeAll(descriptor, bytes, position),
      sync: () => syncFile(descriptor),
      close: () => closeFile(descriptor),
    };
  },
  truncateFile: async (path, bytes) => {
    const file = await open(path, "r+");
    try {
      await file.truncate(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  },
  syncFolder: async (path) => {
    if (process.platform === "win32") return;
    const folder = await open(path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
  removeFile: (path) => rm(path, { force: true }),
  freeBytes: async (path) => {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  },
};

/** A short write is no error: the rest follows, and a full disk then throws. */
function writeAll(descriptor: number, bytes: Uint8Array, position: number): void {
  let written = 0;
  while (written < bytes.length) {
    written += writeSync(descriptor, bytes, written, bytes.length - written, position + written);
  }
}
