/**
 * Who a process is, so that another one can tell later whether it still lives. A pid alone is not
 * enough: pids are reused, and two containers on one volume may both be pid 1. Where the platform
 * says neither start time nor namespace, a reused pid makes a dead process look alive, never the
 * other way round. Process locks and spool writers build on it; it changes nothing on disk.
 */
import { readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";
import process from "node:process";
import { isRecord } from "../contract/json.ts";
import { codeOf } from "../errors.ts";

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot at which the process started; `null` off Linux. */
  readonly startTime: string | null;
  /** Identifies one run of the kernel; `null` off Linux. */
  readonly bootId: string | null;
  /** The pid namespace, `null` off Linux. */
  readonly namespace: string | null;
  readonly host: string;
}

/** `foreign`: of another machine or container, whose pids mean nothing here. */
export type Liveness = "alive" | "dead" | "foreign";

/** The identity of this process. */
export async function identifyProcess(): Promise<ProcessIdentity> {
  return {
    pid: process.pid,
    startTime: await startTimeOf(process.pid),
    bootId: await readBootId(),
    namespace: await readNamespace(),
    host: hostname(),
  };
}

/** Whether the process that `identity` describes still runs. */
export async function livenessOf(identity: ProcessIdentity): Promise<Liveness> {
  const sameHost = identity.host === hostname();
  if (identity.bootId !== (await readBootId())) return sameHost ? "dead" : "foreign";
  if (identity.namespace !== (await readNamespace())) return "foreign";
  if (identity.bootId === null && !sameHost) return "foreign";
  if (!pidExists(identity.pid)) return "dead";
  const startTime = await startTimeOf(identity.pid);
  return startTime === identity.startTime ? "alive" : "dead";
}

/** Reads an identity back from JSON text; `undefined` where it is none. */
export function parseIdentity(text: string): ProcessIdentity | undefined {
  const value = parseJson(text);
  if (!isRecord(value)) return undefined;
  const pid = value["pid"];
  const host = value["host"];
  if (typeof pid !== "number" || typeof host !== "string") return undefined;
  return {
    pid,
    host,
    startTime: stringOrNull(value["startTime"]),
    bootId: stringOrNull(value["bootId"]),
    namespace: stringOrNull(value["namespace"]),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function stringOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function pidExists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (thrown) {
    return codeOf(thrown) === "EPERM";
  }
}

/** Field 22 of `/proc/PID/stat`; the name in field 2 may hold spaces and brackets. */
async function startTimeOf(pid: number): Promise<string | null> {
  const stat = await readOrNull(() => readFile(`/proc/${pid}/stat`, "utf8"));
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
}

async function readBootId(): Promise<string | null> {
  const text = await readOrNull(() => readFile("/proc/sys/kernel/random/boot_id", "utf8"));
  return text?.trim() ?? null;
}

function readNamespace(): Promise<string | null> {
  return readOrNull(() => readlink("/proc/self/ns/pid"));
}

async function readOrNull(read: () => Promise<string>): Promise<string | null> {
  try {
    return await read();
  } catch {
    return null;
  }
}
