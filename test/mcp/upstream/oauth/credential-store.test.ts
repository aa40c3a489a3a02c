import { chmodSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  loadCredential,
  removeCredentials,
  saveCredential,
} from "../../../../src/mcp/upstream/oauth/credential-store.ts";
import type { Credential } from "../../../../src/mcp/upstream/oauth/credential.ts";
import { serverAt, stateFolder, storedFiles } from "./setting.ts";

const url = "https://mcp.example/mcp";
const server = serverAt(url);

function credentialOf(parts: Partial<Credential> = {}): Credential {
  return {
    server: "crm",
    url,
    issuer: "https://auth.example",
    resource: url,
    resourceMetadataUrl: undefined,
    client: {
      kind: "registered",
      clientId: "client-1",
      clientSecret: "registered-secret",
      authMethod: "client_secret_post",
      redirectUri: "http://127.0.0.1:4711/callback",
    },
    tokens: {
      accessToken: "access-1",
      refreshToken: "refresh-1",
      obtainedAtMs: 1,
      expiresAtMs: 2,
      scopes: ["tools:read"],
    },
    wantedScopes: ["tools:write"],
    ...parts,
  };
}

describe("the store of logins", () => {
  test("gives back what it was given", async () => {
    const stateDir = stateFolder();
    await saveCredential(stateDir, credentialOf());
    expect(await loadCredential(stateDir, server)).toEqual(credentialOf());
  });

  test("has nothing for another URL of the same server", async () => {
    const stateDir = stateFolder();
    await saveCredential(stateDir, credentialOf());
    expect(await loadCredential(stateDir, serverAt("https://mcp.example/other"))).toBeUndefined();
  });

  test("keeps the login of one issuer and one URL only", async () => {
    const stateDir = stateFolder();
    await saveCredential(stateDir, credentialOf());
    await saveCredential(stateDir, credentialOf({ issuer: "https://new.example" }));
    expect(storedFiles(stateDir)).toHaveLength(1);
    expect((await loadCredential(stateDir, server))?.issuer).toBe("https://new.example");
  });

  test("takes a server for another whose id begins alike", async () => {
    const stateDir = stateFolder();
    await saveCredential(stateDir, credentialOf());
    await saveCredential(stateDir, credentialOf({ server: "crm-eu" }));
    await removeCredentials(stateDir, server);
    expect(storedFiles(stateDir).map(({ name }) => name.slice(0, 7))).toEqual(["crm-eu-"]);
  });

  test("never holds the secret of the operator's client", async () => {
    const stateDir = stateFolder();
    const client = { ...credentialOf().client, kind: "configured" } as const;
    await saveCredential(stateDir, credentialOf({ client }));
    expect(storedFiles(stateDir)[0]?.text).not.toContain("registered-secret");
  });

  test.each([0o644, 0o640, 0o604])("refuses a file of mode %o", async (mode) => {
    const stateDir = stateFolder();
    await saveCredential(stateDir, credentialOf());
    const [file] = storedFiles(stateDir);
    chmodSync(join(stateDir, "oauth", file?.name ?? ""), mode);
    await expect(loadCredential(stateDir, server)).rejects.toMatchObject({
      code: "oauth_store_insecure",
    });
  });

  test("refuses a folder that others can look into", async () => {
    const stateDir = stateFolder();
    mkdirSync(join(stateDir, "oauth"), { mode: 0o755 });
    const refusal = { code: "oauth_store_insecure" };
    await expect(loadCredential(stateDir, server)).rejects.toMatchObject(refusal);
    await expect(saveCredential(stateDir, credentialOf())).rejects.toMatchObject(refusal);
  });

  test("follows no link to a file elsewhere", async () => {
    const stateDir = stateFolder();
    await saveCredential(stateDir, credentialOf());
    const name = storedFiles(stateDir)[0]?.name ?? "";
    const [path, elsewhere] = [join(stateDir, "oauth", name), join(stateDir, "elsewhere.json")];
    renameSync(path, elsewhere);
    symlinkSync(elsewhere, path);
    await expect(loadCredential(stateDir, server)).rejects.toMatchObject({
      code: "oauth_store_unusable",
    });
  });

  test("counts a broken file as no login", async () => {
    const stateDir = stateFolder();
    await saveCredential(stateDir, credentialOf());
    const name = storedFiles(stateDir)[0]?.name ?? "";
    writeFileSync(join(stateDir, "oauth", name), '{"version": 1');
    expect(await loadCredential(stateDir, server)).toBeUndefined();
  });

  test("is empty where nobody ever logged in", async () => {
    const stateDir = stateFolder();
    expect(await loadCredential(stateDir, server)).toBeUndefined();
    expect(await removeCredentials(stateDir, server)).toBe(false);
  });
});
