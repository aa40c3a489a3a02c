import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openStore } from "../../../src/decision/store/open-store.ts";
import { bundleProgram, startProgram } from "../child-program.ts";
import { logOptions, readSpool } from "../support.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const source = fileURLToPath(new URL("admitting-program.ts", import.meta.url));
const rounds = 34;
const atOnce = 3;

/** Kills the program at a random moment after its first admission; the ids it printed whole. */
async function admitAndKill(program: string, stateDir: string): Promise<readonly string[]> {
  const child = startProgram(program, stateDir);
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    if (printed === "") setTimeout(() => child.kill("SIGKILL"), Math.random() * 60);
    printed += text;
  });
  await once(child, "close");
  return printed.split("\n").slice(0, -1);
}

test("a hundred processes killed in the middle lose no record that they admitted", async () => {
  const program = await bundleProgram(source);
  const stateDir = temporaryFolder();
  const admitted: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const batches = await Promise.all(
      Array.from({ length: atOnce }, () => admitAndKill(program, stateDir)),
    );
    for (const ids of batches) {
      expect(ids.length).toBeGreaterThan(0);
      admitted.push(...ids);
    }
  }
  const inSpool = idsOf(await readSpool(stateDir));
  expect(admitted.filter((id) => !inSpool.has(id))).toEqual([]);

  const database = await openStore(logOptions(stateDir));
  try {
    const rows = await database.query("SELECT decision_id::text AS id FROM decisions");
    const inStore = new Set(rows.map((row) => row["id"]));
    expect(admitted.filter((id) => !inStore.has(id))).toEqual([]);
    expect(inStore.size).toBe(inSpool.size);
  } finally {
    await database.close();
  }
  console.log(`${rounds * atOnce} processes killed, ${admitted.length} records admitted, 0 lost`);
}, 120_000);

function idsOf(records: readonly string[]): ReadonlySet<string> {
  return new Set(records.map((text) => /"decision_id":"([^"]+)"/.exec(text)?.[1] ?? ""));
}
