import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { openArchive } from "../../../src/bundle/archive.ts";
import { runCli } from "../../support/cli-run.ts";
import { portOf, sha256 } from "../../support/fake-registry.ts";
import { createGitRepository } from "../../support/git-repository.ts";
import { policySources } from "../../support/policy-folder.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { tinyArchive } from "../../support/tiny-bundle.ts";

function workFolder() {
  const folder = temporaryFolder();
  const env = {
    HOME: folder,
    XDG_CACHE_HOME: join(folder, "cache"),
    PATH: process.env["PATH"] ?? "",
  };
  return { folder, cli: async (...args: readonly string[]) => await runCli(args, folder, env) };
}

async function serve(archive: Buffer | undefined): Promise<string> {
  const server = createServer((_, response) => {
    response.writeHead(archive === undefined ? 404 : 200).end(archive);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${portOf(server.address())}/bundle.tar.gz`;
}

describe("bundle pull and inspect", () => {
  test("of a bundle service give its archive, named by its digest", async () => {
    const { cli, folder } = workFolder();
    const archive = tinyArchive();
    const url = await serve(archive);
    const pulled = await cli("bundle", "pull", url, "-f", "crm.tar.gz");
    expect(pulled).toMatchObject({ exitCode: 0, err: "", out: `${url} ${sha256(archive)}` });
    expect(await readFile(join(folder, "crm.tar.gz"))).toEqual(archive);
    const inspected = await cli("bundle", "inspect", url, "-o", "json");
    expect(JSON.parse(inspected.out)).toMatchObject({
      name: "crm",
      digest: sha256(archive),
      artifact_type: null,
      referrers: null,
    });
  });

  test("of a bundle service without that bundle are exit code 7", async () => {
    const { cli } = workFolder();
    const pulled = await cli("bundle", "pull", await serve(undefined));
    expect(pulled).toMatchObject({ exitCode: 7, out: "" });
  });

  test("of a Git repository give its sources, named by the commit", async () => {
    const { cli, folder } = workFolder();
    const { commit, url } = await createGitRepository();
    const sources = Object.entries(policySources()).map(([name, text]) => [`crm/${name}`, text]);
    const id = await commit(Object.fromEntries(sources));
    const pulled = await cli("bundle", "pull", `git+${url}#main:crm`, "-f", "crm.tar.gz");
    expect(pulled).toMatchObject({ exitCode: 0, err: "", out: `git+${url}#${id}:crm` });
    const archive = openArchive(await readFile(join(folder, "crm.tar.gz")));
    expect([...archive.keys()]).toContain("policy_test.rego");
    const inspected = await cli("bundle", "inspect", pulled.out, "-o", "json");
    expect(JSON.parse(inspected.out)).toMatchObject({ name: "crm", policy_package: "mcp.crm" });
  }, 180_000);
});
