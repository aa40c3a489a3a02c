import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import type { SpoolFileSystem } from "../../../src/decision/spool/file-system.ts";
import { nodeFileSystem } from "../../../src/decision/spool/file-system.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { bundleProgram, startProgram } from "../child-program.ts";
import { allowed, logOptions, readSpool } from "../support.ts";

const source = fileURLToPath(new URL("closing-program.ts", import.meta.url));

test("an outcome that is settled as the process ends is in the record", async () => {
  const stateDir = temporaryFolder();
  const child = startProgram(await bundleProgram(source), stateDir);
  const [code] = await once(child, "close");
  expect(code).toBe(0);
  expect(await readSpool(stateDir)).toEqual([expect.stringContaining('"outcome":"completed"')]);
});

/** Notes each file that is closed, by name; of a segment that takes until `closed` resolves. */
function watchedFiles(names: string[], closed: Promise<void>): SpoolFileSystem {
  return {
    ...nodeFileSystem,
    createFile: async (path) => {
      const file = await nodeFileSystem.createFile(path);
      return {
        ...file,
        close: async () => {
          names.push(basename(path));
          if (path.endsWith(".seg")) await closed;
          // A second time it would be the descriptor of whoever opened something meanwhile.
          if (names.filter((name) => name === basename(path)).length === 1) await file.close();
        },
      };
    },
  };
}

test("a log that is closed twice ends once, and who closes second waits for the first", async () => {
  const stateDir = join(temporaryFolder(), "state");
  mkdirSync(stateDir, { mode: 0o700 });
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const names: string[] = [];
  const files = watchedFiles(names, gate);
  const log = await createDecisionLog({ ...logOptions(stateDir), files });
  await log.admit(allowed());
  let hasEnded = false;
  const both = [log.close(), log.close().then(() => void (hasEnded = true))];
  await eventually(() => names.length > 0);
  await sleep(50);
  expect(hasEnded).toBe(false);
  open();
  await Promise.all(both);
  await log.close();
  expect(names.toSorted()).toEqual(["00000001.seg", "committed"]);
  expect(await readSpool(stateDir)).toHaveLength(1);
});

test("a record that comes after the end is written to no descriptor of before", async () => {
  const stateDir = join(temporaryFolder(), "state");
  mkdirSync(stateDir, { mode: 0o700 });
  const closed = new Set<string>();
  const misused: string[] = [];
  const files: SpoolFileSystem = {
    ...nodeFileSystem,
    createFile: async (path) => {
      const file = await nodeFileSystem.createFile(path);
      return {
        ...file,
        write: (bytes, position) => {
          if (closed.has(path)) misused.push(basename(path));
          else file.write(bytes, position);
        },
        close: async () => {
          closed.add(path);
          await file.close();
        },
      };
    },
  };
  const log = await createDecisionLog({ ...logOptions(stateDir), files });
  await log.admit(allowed());
  await log.close();
  await log.admit(allowed());
  expect(misused).toEqual([]);
  expect(await readSpool(stateDir)).toHaveLength(2);
});
