/**
 * Who runs a command, for the record. The user of the process is a fact; the one that `sudo` names
 * is a person, and is put in front of it, not in its place, since anybody may set a variable.
 */
import { userInfo } from "node:os";
import type { CliIo } from "./io.ts";

const nameShape = /^[^\p{C}\p{Z}]{1,64}$/u;

/** `alice`, or under sudo `alice as root`. */
export function personOf({ env }: Pick<CliIo, "env">): string {
  const user = userOfProcess();
  const person = env["SUDO_USER"];
  if (person === undefined || person === user || !nameShape.test(person)) return user;
  return `${person} as ${user}`;
}

/** Every name of them: the user of the process, and whom `sudo` names. */
export function personNames({ env }: Pick<CliIo, "env">): readonly string[] {
  const user = userOfProcess();
  const person = env["SUDO_USER"];
  return person === undefined || !nameShape.test(person) ? [user] : [user, person];
}

/** A container's user may have no name. */
export function userOfProcess(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}
