import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { createGitRepository } from "../support/git-repository.ts";
import {
  gitEnv,
  gitPolicy,
  idOf,
  openGit,
  problemOf,
  startTlsServer,
  withAuthority,
} from "../support/git-setting.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const { signal } = new AbortController();

describe("git", () => {
  test("runs no hook, reads no configuration, and leaves nothing behind", async () => {
    const { url, commit } = await createGitRepository();
    await commit(gitPolicy);
    const home = temporaryFolder();
    const hooks = join(home, "hooks");
    await mkdir(hooks);
    for (const name of ["post-checkout", "reference-transaction", "post-index-change"]) {
      await writeFile(join(hooks, name), `#!/bin/sh\ntouch ${home}/ran\n`);
      await chmod(join(hooks, name), 0o755);
    }
    const config = `[core]\n\thooksPath = ${hooks}\n[init]\n\ttemplateDir = ${home}\n[url "file:///nowhere"]\n\tinsteadOf = file://\n`;
    await writeFile(join(home, ".gitconfig"), config);
    const before = (await readdir(tmpdir())).filter((name) => name.startsWith("mcp-gateway-git-"));
    const hostile = {
      ...gitEnv,
      HOME: home,
      GIT_DIR: home,
      GIT_EXEC_PATH: home,
      GIT_TRACE: join(home, "trace"),
    };
    const source = await openGit(`git+${url}#main:servers/crm`, { env: hostile });
    const id = idOf(await source.poll(undefined, signal));
    await source.fetch({ id }, signal);
    expect(await readdir(home)).toEqual([".gitconfig", "hooks"]);
    const after = (await readdir(tmpdir())).filter((name) => name.startsWith("mcp-gateway-git-"));
    expect(after.filter((name) => !before.includes(name))).toEqual([]);
  });

  test("that is not installed is an error that says so", async () => {
    const { url, commit } = await createGitRepository();
    await commit(gitPolicy);
    const source = await openGit(`git+${url}#main`, { env: { PATH: temporaryFolder() } });
    const failure = await source.poll(undefined, signal).then(problemOf);
    expect(failure.code).toBe("bundle_unreachable");
    expect(failure.message).toContain("no git program");
  });

  test("ends with its signal", async () => {
    const ending = new AbortController();
    const server = await startTlsServer(() => setTimeout(() => ending.abort(), 50));
    const source = await openGit(`git+${server.origin}/x.git#main`, withAuthority());
    expect(await source.poll(undefined, ending.signal)).toMatchObject({ kind: "failed" });
  });
});

describe("credentials of a repository", () => {
  const authorization = `Basic ${Buffer.from("alice:hunter2").toString("base64")}`;

  test("go to its origin, in no argument, and are not repeated in messages", async () => {
    const seen: (string | undefined)[] = [];
    const server = await startTlsServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
    });
    const source = await openGit(
      `git+${server.origin}/x.git#main`,
      withAuthority({ username: "alice", password: "hunter2" }),
    );
    const failure = await source.poll(undefined, signal).then(problemOf);
    expect(seen[0]).toBe(authorization);
    expect(failure.code).toBe("bundle_unauthorized");
    expect(failure.message).not.toContain("hunter2");
  });

  test("do not follow a redirect, since nobody follows it", async () => {
    const other = await startTlsServer((_, response) => response.writeHead(404).end());
    const server = await startTlsServer((request, response) => {
      response.writeHead(302, { location: `${other.origin}${request.url ?? ""}` }).end();
    });
    const source = await openGit(
      `git+${server.origin}/x.git#main`,
      withAuthority({ username: "alice", password: "hunter2" }),
    );
    expect(await source.poll(undefined, signal)).toMatchObject({ kind: "failed" });
    expect(other.count()).toBe(0);
  });

  test("over https fetch what git's own server gives", async () => {
    const { folder, commit } = await createGitRepository();
    const id = await commit(gitPolicy);
    await promisify(execFile)("git", ["update-server-info"], { cwd: folder });
    const server = await startTlsServer((request, response) => {
      if (request.headers.authorization !== authorization)
        return void response.writeHead(401).end();
      try {
        const path = new URL(request.url ?? "/", "https://x").pathname.replace("/x.git/", "");
        response.end(readFileSync(join(folder, ".git", path)));
      } catch {
        response.writeHead(404).end();
      }
    });
    const source = await openGit(
      `git+${server.origin}/x.git#main:servers/crm`,
      withAuthority({ username: "alice", password: "hunter2" }),
    );
    expect(idOf(await source.poll(undefined, signal))).toBe(id);
  });
});
