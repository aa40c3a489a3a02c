/**
 * The output of `docs/sign-bundles.md` is what the commands print.
 */
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runCli } from "../../support/cli-run.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { tinyFiles } from "../../support/tiny-bundle.ts";
import { packBundle } from "../../../src/bundle/archive.ts";
import { ownKey } from "./support.ts";

const path = fileURLToPath(new URL("../../../docs/sign-bundles.md", import.meta.url));
const page = readFileSync(path, "utf8");
const transcripts = [...page.matchAll(/```console\n\$ npx mcp-gateway (.*)\n([\s\S]*?)```/g)];

test("each command of the page prints what the page says", async () => {
  const folder = temporaryFolder();
  const key = ownKey();
  await writeFile(join(folder, "release.key"), key.pem, { mode: 0o600 });
  await writeFile(join(folder, "release.pub"), key.publicPem, { mode: 0o600 });
  await writeFile(join(folder, "notes.tar.gz"), packBundle(tinyFiles({ name: "notes" })));
  const cli = async (...args: readonly string[]) =>
    await runCli(args, folder, { HOME: folder, XDG_CACHE_HOME: join(folder, "cache") });
  await cli("bundle", "push", "notes.tar.gz", "oci-layout:my-bundles:notes");
  expect(transcripts).toHaveLength(2);
  for (const [, command = "", expected] of transcripts) {
    const { out, err } = await cli(...command.split(" "));
    expect(err).toBe("");
    const shown = out.replaceAll(`${folder}/`, "").replaceAll(/[0-9a-f]{64}/g, "DIGEST");
    expect(`${shown}\n`).toBe(expected);
  }
});
