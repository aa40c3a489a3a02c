/**
 * `validate` looks at what a configuration names: bundles, and programs. Nothing is started.
 */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { registryWithBundle } from "../support/bundle-setting.ts";
import { runCli } from "../support/cli-run.ts";
import { allowAll, buildLayout } from "../support/policy-layout.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

let layout = "";
beforeAll(async () => {
  const rules = { rego: 'deny contains "never" if input.action.server == "x"' };
  layout = await buildLayout({
    crm: allowAll,
    "strict-crm": rules,
    rules: { ...rules, layer: "workflow" },
  });
}, 60_000);

interface Parts {
  readonly crm?: object;
  readonly layers?: readonly object[];
  readonly servers?: object;
  readonly profile?: string;
}

async function validate(
  { crm = {}, layers = [], servers, profile }: Parts,
  ...args: readonly string[]
) {
  const folder = temporaryFolder();
  const server = { command: process.execPath, policy: `oci-layout:${layout}:crm`, ...crm };
  const who = { agent: { id: "a" }, user: { id: "u" }, ...(profile && { profile }) };
  const config = { ...who, servers: servers ?? { crm: server }, layers };
  writeFileSync(join(folder, "c.json"), JSON.stringify(config, null, 1), { mode: 0o600 });
  const env = { PATH: "/nowhere", HOME: folder };
  return await runCli(["validate", "c.json", ...args], folder, env);
}

const layer = (policy: string, kind = "workflow") => [{ name: "rules", kind, policy }];

describe("bundles on this machine", () => {
  test("are loaded, and counted", async () => {
    const { exitCode, err } = await validate({ layers: layer(`oci-layout:${layout}:rules`) });
    expect(err).toMatch(/c\.json: valid \(1 server, 1 layer, strict\); 2 bundles loaded$/);
    expect(exitCode).toBe(0);
  });

  test("that are not there are a problem of the server, at its place", async () => {
    const { exitCode, err, out } = await validate({ crm: { policy: "oci-layout:none:crm" } });
    expect(err).toMatch(/^\S+c\.json:11:14: servers\.crm\.policy: .*none/);
    expect(err).toContain("; every call to this server is denied with no_policy\n");
    expect(err).not.toContain("valid (");
    expect([exitCode, out]).toEqual([3, ""]);
  });

  test.each([
    ["a tag that is not there", () => `oci-layout:${layout}:other`, "bundle_not_found"],
    ["another server's name", () => `oci-layout:${layout}:rules`, "bundle_name_mismatch"],
    ["a reference that is none", () => `oci://h/UPPER:1`, "bundle_reference_invalid"],
  ])("with %s are a problem", async (_, policy, code) => {
    const { exitCode, err } = await validate({ crm: { policy: policy() } });
    expect(err).toContain(`[${code}]; every call to this server is denied with no_policy`);
    expect(exitCode).toBe(3);
  });

  test("of another kind of layer keep every call from being made", async () => {
    const { exitCode, err } = await validate({
      layers: layer(`oci-layout:${layout}:rules`, "compliance"),
    });
    expect(err).toContain("layers.0.policy: ");
    expect(err).toContain("[bundle_kind_mismatch]; every call is denied with no_policy");
    expect(exitCode).toBe(3);
  });

  test("in a folder of sources are compiled, with a warning that they are for serve --dev", async () => {
    const { exitCode, err } = await validate({ crm: { policy: `file:${policyFolder("crm")}` } });
    expect(err).toContain("warning: servers.crm.policy: file: is for serve --dev; without --dev");
    expect(err).toContain("1 bundle loaded");
    expect(exitCode).toBe(0);
  });

  test("in a folder whose policy does not compile are a problem with its places", async () => {
    const folder = policyFolder("crm", "allow contains 1 if input.agnt.id");
    const { exitCode, err } = await validate({ crm: { policy: `file:${folder}` } });
    expect(err).toMatch(/^\S*policy\.rego:3:21: undefined ref: input\.agnt\.id/m);
    expect(err).toContain("[bundle_compile_failed]");
    expect(exitCode).toBe(3);
  });

  test.each([
    ["refuses only, without a default", "strict-crm", {}, "no rule that grants, so every call is"],
    ["grants, with a default", "crm", { default: "allow" }, "default has no effect"],
  ])("with a policy that %s are a warning", async (_, name, more, message) => {
    const other = { command: process.execPath, policy: `oci-layout:${layout}:${name}`, ...more };
    const { exitCode, err } = await validate({ servers: { [name]: other } });
    expect(err).toContain(`warning: servers.${name}.policy: `);
    expect(err).toContain(message);
    expect(exitCode).toBe(0);
  });

  test("with a policy that refuses only and a default are none", async () => {
    const policy = `oci-layout:${layout}:strict-crm`;
    const other = { command: process.execPath, policy, default: "allow" };
    const { err } = await validate({ servers: { "strict-crm": other } });
    expect(err).not.toContain("warning");
  });

  test("of a layer that is not observed any more are a warning", async () => {
    const observed = (until: string) => [
      {
        name: "rules",
        kind: "workflow",
        policy: `oci-layout:${layout}:rules`,
        mode: "observe",
        until,
      },
    ];
    const ended = await validate({ layers: observed("2020-01-31"), profile: "trial" });
    expect(ended.err).toContain(
      'warning: layers.0.until: the layer "rules" is enforced since then',
    );
    expect(ended.exitCode).toBe(0);
    const lasting = await validate({ layers: observed("2999-01-31"), profile: "trial" });
    expect(lasting.err).not.toContain("layers.0.until");
  });

  test("of a server that is disabled are left alone", async () => {
    const crm = { policy: "oci-layout:none:crm", disabled: true, command: "none" };
    const { exitCode, err } = await validate({ crm });
    expect(err).toMatch(/valid \(1 server, 0 layers, strict\)$/);
    expect(exitCode).toBe(0);
  });

  test("are in the document of -o json, whatever became of them", async () => {
    const policy = { bundle: "oci://registry.example/rules:1", require: "none" };
    const layers = [{ name: "rules", kind: "workflow", policy }];
    const { exitCode, out } = await validate({ layers }, "-o", "json");
    expect(JSON.parse(out)).toMatchObject({
      valid: true,
      problems: [],
      bundles: [
        { name: "crm", layer: "server", state: "loaded", revision: "1" },
        { name: "rules", layer: "workflow", state: "not_checked" },
      ],
    });
    expect(exitCode).toBe(0);
    const failed = await validate({ crm: { policy: "oci-layout:none:crm" } }, "-o", "json");
    expect(JSON.parse(failed.out)).toMatchObject({
      valid: false,
      bundles: [{ name: "crm", state: "failed" }],
      problems: [{ pointer: "/servers/crm/policy", line: 11 }],
    });
    expect(failed.exitCode).toBe(3);
  });
});

describe("bundles in a registry", () => {
  const asked = async () => {
    const registry = await registryWithBundle();
    return { ...registry, policy: { bundle: registry.reference, require: "none" } };
  };

  test("are not asked for, and the summary says so", async () => {
    const { policy, requests } = await asked();
    const { exitCode, err } = await validate({ crm: { policy } });
    expect(err).toMatch(/; 0 bundles loaded, 1 remote not asked for \(--online\)$/);
    expect(exitCode).toBe(0);
    expect(requests).toEqual([]);
  });

  test("are loaded with --online", async () => {
    const { policy } = await asked();
    const { exitCode, err } = await validate({ crm: { policy } }, "--online");
    expect(err).toMatch(/; 1 bundle loaded$/);
    expect(exitCode).toBe(0);
  });

  test("that are not there are a problem with --online", async () => {
    const { reference } = await asked();
    const policy = { bundle: reference.replace(":v1", ":v2"), require: "none" };
    const { exitCode, err } = await validate({ crm: { policy } }, "--online");
    expect(err).toContain("[bundle_not_found]; every call to this server is denied");
    expect(exitCode).toBe(3);
  });

  test("that nobody vouches for are a problem, and nobody has to be asked for that", async () => {
    const { reference, requests } = await asked();
    const { exitCode, err } = await validate({ crm: { policy: reference } });
    expect(err).toContain(
      "expected a pinned digest, found a reference that may change its meaning",
    );
    expect(err).toContain("[bundle_unverified]; every call to this server is denied");
    expect([exitCode, requests]).toEqual([3, []]);
    const online = await validate({ crm: { policy: reference } }, "--online");
    expect(online.err).toContain("[bundle_unverified]");
    expect(online.exitCode).toBe(3);
  });

  test("whose digest is in their reference need nothing else", async () => {
    const { reference, digest } = await asked();
    const { exitCode, err } = await validate(
      { crm: { policy: `${reference}@${digest}` } },
      "--online",
    );
    expect(err).toMatch(/; 1 bundle loaded$/);
    expect(exitCode).toBe(0);
  });
});

describe("programs", () => {
  test("that are not on PATH are a warning that names them", async () => {
    const { exitCode, err } = await validate({ crm: { command: "no-such-program" } });
    expect(err).toMatch(
      /c\.json:10:15: warning: servers\.crm\.command: found no program "no-such-program" on PATH; the server would not start$/m,
    );
    expect(exitCode).toBe(0);
  });

  test("are looked for on the PATH that the server would get", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "tool"), "#!/bin/sh\n", { mode: 0o600 });
    const crm = { command: "tool", env: { PATH: folder } };
    expect((await validate({ crm })).err).toContain('found no program "tool" on PATH');
    chmodSync(join(folder, "tool"), 0o700);
    expect((await validate({ crm })).err).not.toContain("warning");
  });

  test("with a path are looked for from the server's folder", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "tool"));
    const crm = { command: "./tool", cwd: folder };
    expect((await validate({ crm })).err).toContain('found no program "./tool" at this path');
    writeFileSync(join(folder, "run"), "#!/bin/sh\n", { mode: 0o700 });
    expect((await validate({ crm: { ...crm, command: "./run" } })).err).not.toContain("warning");
  });

  test("whose folder is not there are a warning", async () => {
    const { exitCode, err } = await validate({ crm: { cwd: "nowhere" } });
    expect(err).toMatch(/warning: servers\.crm: expected a folder .* found none at \S*nowhere$/m);
    expect(exitCode).toBe(0);
  });
});

function policyFolder(name: string, rule = 'allow contains "all" if input.action.server'): string {
  const folder = temporaryFolder();
  const metadata = { name, layer: "server", policy_package: "p" };
  const manifest = { revision: "1", roots: ["p"], metadata };
  writeFileSync(join(folder, ".manifest"), JSON.stringify(manifest));
  writeFileSync(join(folder, "policy.rego"), `package p\n\n${rule}\n`);
  return folder;
}
