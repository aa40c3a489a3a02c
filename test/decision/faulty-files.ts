/**
 * The spool's file system with a switch on each operation, and one that forgets like a disk does
 * when the power fails.
 */
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { nodeFileSystem } from "../../src/decision/spool/file-system.ts";
import type { SpoolFile, SpoolFileSystem } from "../../src/decision/spool/file-system.ts";

/** Called before each operation; what it throws is the operation's error. */
export interface Faults {
  createFile?: (path: string) => void;
  write?: (path: string, bytes: Uint8Array) => void;
  sync?: (path: string) => Promise<void> | void;
  afterSync?: (path: string) => Promise<void> | void;
  truncateFile?: (path: string, bytes: number) => void;
  syncFolder?: (path: string) => void;
  freeBytes?: () => number;
}

/** Segments only: the committed mark is no part of the promise. */
const isSegment = (path: string): boolean => path.endsWith(".seg");

/** A system error as Node throws it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}

export function faultyFiles(faults: Faults): SpoolFileSystem {
  return {
    ...nodeFileSystem,
    createFile: async (path) => {
      faults.createFile?.(path);
      return faultyFile(path, await nodeFileSystem.createFile(path), faults);
    },
    truncateFile: async (path, bytes) => {
      faults.truncateFile?.(path, bytes);
      await nodeFileSystem.truncateFile(path, bytes);
    },
    syncFolder: async (path) => {
      faults.syncFolder?.(path);
      await nodeFileSystem.syncFolder(path);
    },
    freeBytes: async (path) => faults.freeBytes?.() ?? (await nodeFileSystem.freeBytes(path)),
  };
}

function faultyFile(path: string, file: SpoolFile, faults: Faults): SpoolFile {
  if (!isSegment(path)) return file;
  return {
    write: (bytes, position) => {
      faults.write?.(path, bytes);
      file.write(bytes, position);
    },
    sync: async () => {
      await faults.sync?.(path);
      await file.sync();
      await faults.afterSync?.(path);
    },
    close: () => file.close(),
  };
}

export interface ForgetfulDisk {
  readonly files: SpoolFileSystem;
  /** Writes what would be left after a power failure to `target`. */
  readonly fail: (target: string, random: () => number) => Promise<void>;
}

/**
 * Remembers of each file what it held when its last sync began, and of each folder the names it had
 * at its last sync. Of what was written since, a power failure keeps any pages it likes.
 */
export function forgetfulDisk(root: string): ForgetfulDisk {
  const contents = new Map<string, Buffer>();
  const names = new Map<string, ReadonlySet<string>>();
  return {
    files: {
      ...nodeFileSystem,
      createFile: async (path) => {
        const file = await nodeFileSystem.createFile(path);
        const sync = async (): Promise<void> => {
          const held = await readFile(path);
          await file.sync();
          contents.set(path, held);
        };
        return { ...file, sync };
      },
      truncateFile: async (path, bytes) => {
        await nodeFileSystem.truncateFile(path, bytes);
        contents.set(path, await readFile(path));
      },
      syncFolder: async (path) => {
        const held = new Set(await readdir(path));
        await nodeFileSystem.syncFolder(path);
        names.set(path, held);
      },
    },
    fail: async (target, random) => {
      for (const writer of names.get(root) ?? []) {
        for (const name of names.get(join(root, writer)) ?? []) {
          const path = join(root, writer, name);
          const bytes = await surviving(path, contents.get(path) ?? Buffer.alloc(0), random);
          await mkdir(join(target, writer), { recursive: true });
          await writeFile(join(target, basename(dirname(path)), name), bytes);
        }
      }
    },
  };
}

async function surviving(path: string, held: Buffer, random: () => number): Promise<Buffer> {
  const now = await readFile(path).catch(() => held);
  const bytes = Buffer.alloc(random() < 0.5 ? Math.max(held.length, now.length) : held.length);
  held.copy(bytes);
  for (let page = 0; page < now.length; page += 4096) {
    if (random() < 0.5) now.copy(bytes, page, page, Math.min(page + 4096, now.length));
  }
  return bytes;
}
