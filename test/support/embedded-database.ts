/**
 * A ready embedded database: making one costs seconds, and a copy of one that was made costs one.
 * Nothing but an empty, migrated database is in it; one is kept for each set of migrations
 * and each release of PGlite. Tests of a
 * first start take none.
 */
import { createHash, randomUUID } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { cp, mkdir, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/config/ambient.ts";
import { migrate } from "../../src/database/migrate.ts";
import { readMigrations } from "../../src/database/migration-files.ts";
import { embeddedFolder, openEmbedded } from "../../src/database/pglite.ts";

/** Puts it into a state folder that has none. */
export async function giveEmbeddedDatabase(stateDir: string): Promise<void> {
  const folder = embeddedFolder(stateDir);
  if (existsSync(folder)) return;
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  await cp(await madeOnce(), folder, { recursive: true });
}

/** Several test processes may make it; the first is kept. */
async function madeOnce(): Promise<string> {
  const { size } = statSync(createRequire(import.meta.url).resolve("@electric-sql/pglite"));
  const digest = createHash("sha256").update(`${size}\n`);
  for (const { name, sha256 } of await readMigrations()) digest.update(`${name} ${sha256}\n`);
  const made = join(tmpdir(), `mcp-gateway-embedded-${digest.digest("hex").slice(0, 16)}`);
  if (existsSync(made)) return made;
  const draft = join(tmpdir(), `mcp-gateway-embedded-${randomUUID()}`);
  const database = await openEmbedded(draft, { clock: systemClock });
  await migrate(database);
  await database.close();
  await rename(embeddedFolder(draft), made).catch(() => undefined);
  await rm(draft, { recursive: true, force: true });
  return made;
}
