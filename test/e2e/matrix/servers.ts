/**
 * The servers of the matrix: how each is started, which era the gateway finds, and what its entry in
 * a configuration says beside that.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { eventually } from "../../support/eventually.ts";
import { freePort } from "../../support/free-port.ts";
import { root } from "../../support/gateway-process.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import type { Root } from "./client-answers.ts";
import type { Place } from "./endpoint.ts";
import type { ClientKind, Era } from "./matrix-client.ts";

export interface MatrixServer {
  readonly id: string;
  /** The newest era that it speaks, which is the one that the gateway finds. */
  readonly era: Era;
  /** True: a client of either era can be connected to it. */
  readonly isDual: boolean;
  readonly carrier: Place["carrier"];
  /** Starts it, or says how, with a folder to work in. */
  readonly open: (folder: string) => Promise<OpenServer>;
  readonly rootsIn: (folder: string) => readonly Root[];
  /** Members of its entry beside how it is reached. */
  readonly entry: (folder: string) => object;
  /** Kind of client that it tells steps of a call again, where nothing is between them. */
  readonly repeatsTo?: ClientKind;
}

export interface OpenServer {
  readonly place: Place;
  readonly close: () => Promise<void>;
}

const require = createRequire(import.meta.url);
const matrixRoots = [{ uri: "file:///matrix/one", name: "one" }, { uri: "file:///matrix/two" }];
const defaults = {
  era: "legacy",
  isDual: false,
  rootsIn: () => matrixRoots,
  entry: () => ({}),
} as const;

const everythingFile = require.resolve("@modelcontextprotocol/server-everything/dist/index.js");

export const everythingOnStdio: MatrixServer = {
  ...defaults,
  id: "everything",
  carrier: "stdio",
  open: program([everythingFile, "stdio"]),
};

/**
 * SDK 1.x takes an error for no answer and comes back to the stream a second later; this server then
 * replays what it said on all streams of the session since. The gateway does neither.
 */
export const everythingOnHttp: MatrixServer = {
  ...defaults,
  id: "everything",
  carrier: "http",
  repeatsTo: "SDK 1.x",
  open: async () => {
    const port = await freePort();
    return await listen([everythingFile, "streamableHttp"], { PORT: String(port) }, port);
  },
};

/** Its folder is a root: one of the client directly, one of the configuration behind the gateway. */
export const filesystem: MatrixServer = {
  ...defaults,
  id: "filesystem",
  carrier: "stdio",
  open: (folder) =>
    program([packageBin("@modelcontextprotocol/server-filesystem"), work(folder)])(folder),
  rootsIn: (folder) => [{ uri: pathToFileURL(work(folder)).href, name: "work" }],
  entry: (folder) => ({ roots: filesystem.rootsIn(folder) }),
};

export const memory: MatrixServer = {
  ...defaults,
  id: "memory",
  carrier: "stdio",
  open: (folder) =>
    program([packageBin("@modelcontextprotocol/server-memory")], {
      MEMORY_FILE_PATH: join(folder, "memory.jsonl"),
    })(folder),
};

/** More than one page of everything. */
export const wide: MatrixServer = {
  ...defaults,
  id: "wide",
  carrier: "stdio",
  open: program([join(root, "test", "fixtures", "matrix", "wide-server.js")]),
};

export const modernOnHttp: MatrixServer = {
  ...defaults,
  id: "modern",
  era: "modern",
  isDual: true,
  carrier: "http",
  open: async () => {
    const port = await freePort();
    const file = join(root, "test", "fixtures", "conformance", "modern-server.js");
    return await listen([file, String(port)], {}, port);
  },
};

export const modernOnStdio: MatrixServer = {
  ...defaults,
  id: "crm",
  era: "modern",
  isDual: true,
  carrier: "stdio",
  open: program([join(root, "servers", "crm", "main.js")]),
};

/** A folder for one site, with what the file system server is asked about. */
export function siteFolder(): string {
  const folder = realpathSync(temporaryFolder());
  mkdirSync(join(work(folder), "sub"), { recursive: true });
  writeFileSync(join(work(folder), "hello.txt"), "one\ntwo\nthree\n");
  writeFileSync(join(work(folder), "pixel.png"), Buffer.from("89504e470d0a1a0a", "hex"));
  writeFileSync(join(work(folder), "sub", "deep.txt"), "deep\n");
  return folder;
}

/** The part of a folder that the file system server may touch. */
export function work(folder: string): string {
  return join(folder, "work");
}

function packageBin(name: string): string {
  return join(root, "node_modules", name, "dist", "index.js");
}

function program(args: string[], env: Record<string, string> = {}): MatrixServer["open"] {
  const place: Place = {
    carrier: "stdio",
    command: { command: process.execPath, args, env: { PATH: process.env["PATH"] ?? "", ...env } },
  };
  return () => Promise.resolve({ place, close: () => Promise.resolve() });
}

async function listen(
  args: string[],
  env: Record<string, string>,
  port: number,
): Promise<OpenServer> {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: "ignore",
  });
  const url = `http://127.0.0.1:${port}/mcp`;
  const close = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  await eventually(() => answers(url), 30_000);
  return { place: { carrier: "http", url }, close };
}

async function answers(url: string): Promise<boolean> {
  return await fetch(url, { method: "OPTIONS" }).then(
    () => true,
    () => false,
  );
}
