/**
 * Ends the upstream children of a gateway that was killed. A tiny shell process reads the process
 * groups to end from a pipe that only the gateway holds open; when the gateway dies in any way, the
 * pipe ends and the shell ends the groups, those that ignore the end of their input included. On
 * Windows there is no shell to rely on, and children have to notice the end of their input.
 */
import type { ChildProcessByStdio } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Writable } from "node:stream";

export interface Watchdog {
  /** Names a process group that has to end with the gateway. */
  readonly guard: (processGroup: number) => void;
  /** Takes a group back that ended by itself. */
  readonly release: (processGroup: number) => void;
  /** Ends the watchdog and whatever it still guards. */
  readonly close: () => Promise<void>;
}

const graceSeconds = 1;

const script = `
groups=""
while read -r verb group; do
  case "$verb" in
    guard) groups="$groups $group" ;;
    release)
      kept=""
      for g in $groups; do [ "$g" = "$group" ] || kept="$kept $g"; done
      groups="$kept" ;;
  esac
done
for g in $groups; do kill -TERM "-$g" 2>/dev/null; done
[ -z "$groups" ] || sleep ${graceSeconds}
for g in $groups; do kill -KILL "-$g" 2>/dev/null; done
`;

/** A watchdog whose shell starts with the first group to guard; it never keeps the gateway alive. */
export function createWatchdog(platform: NodeJS.Platform): Watchdog {
  if (platform === "win32") return { guard: ignore, release: ignore, close: async () => {} };
  let child: ShellProcess | undefined;
  return {
    guard: (group) => {
      child ??= startShell();
      child.stdin.write(`guard ${group}\n`);
    },
    release: (group) => void child?.stdin.write(`release ${group}\n`),
    close: async () => {
      if (child !== undefined) await end(child);
    },
  };
}

type ShellProcess = ChildProcessByStdio<Writable, null, null>;

function startShell(): ShellProcess {
  const child = spawn("/bin/sh", ["-c", script], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    env: {},
    cwd: "/",
  });
  // Without a watchdog children still see the end of their input; that is no reason to fail.
  child.on("error", () => {});
  child.stdin.on("error", () => {});
  child.unref();
  return child;
}

async function end(child: ShellProcess): Promise<void> {
  const isRunning = child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  child.stdin.end();
  if (!isRunning) return;
  child.ref();
  await once(child, "exit");
}

function ignore(): void {}
