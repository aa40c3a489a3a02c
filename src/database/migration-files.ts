/**
 * The numbered files in `sql/`, found from the package's root, so that they are found from the
 * sources, from `dist/` and from an installed package alike.
 */
import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { packageRoot } from "../contract/package-root.ts";

export interface Migration {
  /** `0001-decision-record`; migrations are applied in this order. */
  readonly name: string;
  readonly sql: string;
  readonly sha256: string;
}

/** All migrations that this version ships. */
export async function readMigrations(): Promise<readonly Migration[]> {
  const folder = join(packageRoot(), "sql");
  const names = (await readdir(folder)).filter((name) => /^\d{4}-.+\.sql$/.test(name)).toSorted();
  return Promise.all(names.map((name) => readMigration(folder, name)));
}

async function readMigration(folder: string, file: string): Promise<Migration> {
  const sql = await readFile(join(folder, file), "utf8");
  const sha256 = createHash("sha256").update(sql).digest("hex");
  return { name: file.replace(/\.sql$/, ""), sql, sha256 };
}
