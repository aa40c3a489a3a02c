import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { run } from "../../src/cli/run.ts";
import { browserCommand } from "../../src/cli/server/open-browser.ts";
import { startOauthWorld, without } from "../mcp/upstream/oauth/oauth-world.ts";
import { stateFolder, storedFiles } from "../mcp/upstream/oauth/setting.ts";
import { runCli } from "../support/cli-run.ts";
import type { CliOutcome } from "../support/cli-run.ts";
import { freePort } from "../support/free-port.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** A folder with a configuration of these servers. */
function configured(servers: object): string {
  const folder = temporaryFolder();
  const config = { agent: { id: "agent" }, user: { id: "user" }, servers };
  writeFileSync(join(folder, "mcp-gateway.config.json"), JSON.stringify(config), { mode: 0o600 });
  return folder;
}

/** `server login crm --no-browser`, and a person who follows the printed URL. */
async function logInByHand(cwd: string, stateDir: string, rest: readonly string[] = []) {
  const [out, err]: [string[], string[]] = [[], []];
  let exitCode = 0;
  const visits: Promise<unknown>[] = [];
  await run(["server", "login", "crm", "--no-browser", ...rest], {
    out: (text) => void out.push(text),
    err: (text) => {
      err.push(text);
      const url = /^open this URL to log in: (http\S+)$/.exec(text)?.[1];
      if (url !== undefined) visits.push(fetch(url).catch(() => undefined));
    },
    env: { MCP_GATEWAY_STATE: stateDir },
    cwd,
    columns: undefined,
    exit: (code) => {
      exitCode = code;
    },
  });
  await Promise.all(visits);
  const outcome: CliOutcome = { exitCode, out: out.join("\n"), err: err.join("\n") };
  return outcome;
}

describe("server login", () => {
  test("prints the URL in one line on stderr and the login as data on stdout", async () => {
    const world = await startOauthWorld();
    const stateDir = stateFolder();
    const cwd = configured({ crm: { url: world.url } });
    const { exitCode, out, err } = await logInByHand(cwd, stateDir, ["-o", "json"]);
    expect(exitCode).toBe(0);
    expect(err.split("\n")).toHaveLength(1);
    expect(JSON.parse(out)).toEqual({
      server: "crm",
      issuer: world.origin,
      scopes: ["tools:read"],
      expires_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      renewable: true,
    });
    expect(storedFiles(stateDir)).toHaveLength(1);
  });

  test("prints no token, no code and no secret", async () => {
    const world = await startOauthWorld();
    const stateDir = stateFolder();
    const oauth = { client_id: "gateway", client_secret: "s3cret-of-the-operator" };
    const { out, err } = await logInByHand(
      configured({ crm: { url: world.url, oauth } }),
      stateDir,
    );
    const stored: { access_token: string; refresh_token: string } = JSON.parse(
      storedFiles(stateDir)[0]?.text ?? "",
    );
    for (const secret of [stored.access_token, stored.refresh_token, "s3cret"]) {
      expect(out + err).not.toContain(secret);
    }
  });

  test("refused by the person ends with 9", async () => {
    const world = await startOauthWorld();
    world.bends.callback = (parameters) => ({
      ...without<string>("code")(parameters),
      error: "access_denied",
    });
    const cwd = configured({ crm: { url: world.url } });
    const { exitCode, err } = await logInByHand(cwd, stateFolder());
    expect(exitCode).toBe(9);
    expect(err).toContain("[oauth_denied]");
  });

  test("at a mixed-up issuer ends with 8", async () => {
    const world = await startOauthWorld();
    world.bends.callback = (parameters) => ({ ...parameters, iss: "https://other.example" });
    const cwd = configured({ crm: { url: world.url } });
    expect((await logInByHand(cwd, stateFolder())).exitCode).toBe(8);
  });

  test("at a server that is not there ends with 7", async () => {
    const cwd = configured({ crm: { url: `http://127.0.0.1:${await freePort()}/mcp` } });
    const { exitCode, err } = await logInByHand(cwd, stateFolder());
    expect(exitCode).toBe(7);
    expect(err).toContain("[oauth_unreachable]");
  });

  test("at a server that is started as a process ends with 2", async () => {
    const cwd = configured({ crm: { command: "node" } });
    const { exitCode, err } = await logInByHand(cwd, stateFolder());
    expect(exitCode).toBe(2);
    expect(err).toContain("servers.crm.env");
  });

  test("at a server that the configuration does not have ends with 2 and names those it has", async () => {
    const cwd = configured({ mail: { command: "node" } });
    const { exitCode, err } = await logInByHand(cwd, stateFolder());
    expect(exitCode).toBe(2);
    expect(err).toContain("mail");
  });

  test("with a grant of the gateway's own asks nobody", async () => {
    const world = await startOauthWorld();
    const oauth = { grant: "client_credentials", client_id: "gateway", client_secret: "s3cret" };
    const cwd = configured({ crm: { url: world.url, oauth } });
    const { exitCode, err, out } = await logInByHand(cwd, stateFolder(), ["-o", "json"]);
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
    expect(JSON.parse(out)).toMatchObject({ issuer: world.origin, renewable: false });
  });
});

describe("server logout", () => {
  test("revokes and forgets, and a second one has nothing to do", async () => {
    const world = await startOauthWorld();
    const stateDir = stateFolder();
    const cwd = configured({ crm: { url: world.url } });
    await logInByHand(cwd, stateDir);
    const env = { MCP_GATEWAY_STATE: stateDir };
    const first = await runCli(["server", "logout", "crm", "-o", "json"], cwd, env);
    expect(JSON.parse(first.out)).toEqual({ server: "crm", removed: true, revocation: "done" });
    expect(storedFiles(stateDir)).toEqual([]);
    const second = await runCli(["server", "logout", "crm", "-o", "json"], cwd, env);
    expect(JSON.parse(second.out)).toEqual({ server: "crm", removed: false, revocation: null });
    expect(second.exitCode).toBe(0);
  });

  test("says where the tokens could not be revoked", async () => {
    const world = await startOauthWorld();
    const stateDir = stateFolder();
    const cwd = configured({ crm: { url: world.url } });
    await logInByHand(cwd, stateDir);
    world.bends.answers.set("/revoke", { status: 503, body: "" });
    const { err } = await runCli(["server", "logout", "crm"], cwd, { MCP_GATEWAY_STATE: stateDir });
    expect(err).toContain("could not be revoked");
    expect(storedFiles(stateDir)).toEqual([]);
  });
});

describe("server list", () => {
  test("says how the gateway comes into each server", async () => {
    const world = await startOauthWorld();
    const stateDir = stateFolder();
    const machine = { grant: "client_credentials", client_id: "gateway", client_secret: "s3cret" };
    const cwd = configured({
      crm: { url: world.url },
      files: { command: "/usr/bin/files-server", args: ["--token", "s3cret"] },
      keyed: { url: "https://keyed.example/mcp", headers: { Authorization: "Bearer s3cret" } },
      later: { url: "https://later.example/mcp", oauth: {} },
      machine: { url: "https://machine.example/mcp?key=s3cret", oauth: machine },
      open: { url: "https://open.example/mcp", disabled: true },
    });
    await logInByHand(cwd, stateDir);
    const env = { MCP_GATEWAY_STATE: stateDir };
    const { out, exitCode } = await runCli(["server", "list", "-o", "json"], cwd, env);
    expect(exitCode).toBe(0);
    expect(out).not.toContain("s3cret");
    const { items }: { items: readonly Record<string, unknown>[] } = JSON.parse(out);
    expect(items.map(({ id, auth, target }) => [id, auth, target])).toEqual([
      ["crm", "logged_in", world.url],
      ["files", "none", "files-server"],
      ["keyed", "header", "https://keyed.example/mcp"],
      ["later", "needs_login", "https://later.example/mcp"],
      ["machine", "client_credentials", "https://machine.example/mcp?…"],
      ["open", "none", "https://open.example/mcp"],
    ]);
    expect(items[0]).toMatchObject({ transport: "http", protocol: "auto", sharing: "principal" });
    const table = await runCli(["server", "list"], cwd, env);
    expect(table.out).toContain("logged in");
  });

  test("says where a login is over", async () => {
    const world = await startOauthWorld();
    world.bends.withoutRefresh = true;
    world.bends.expiresIn = 0;
    const stateDir = stateFolder();
    const cwd = configured({ crm: { url: world.url } });
    await logInByHand(cwd, stateDir);
    const env = { MCP_GATEWAY_STATE: stateDir };
    const { out } = await runCli(["server", "list", "-o", "json"], cwd, env);
    expect(JSON.parse(out)).toMatchObject({ items: [{ auth: "expired" }] });
  });
});

test("a browser is a program with the URL as an argument, on every system", () => {
  expect(browserCommand("linux")).toEqual(["xdg-open"]);
  expect(browserCommand("darwin")).toEqual(["open"]);
  expect(browserCommand("win32")).toEqual(["rundll32", "url.dll,FileProtocolHandler"]);
});
