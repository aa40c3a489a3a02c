import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";
import { load, minimal, problemsOf, refusal, server, writeConfig } from "./support.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const noPipes = process.platform === "win32";

function makePipe(path: string): string {
  execFileSync("sh", ["-c", 'mkfifo "$0"', path]);
  return path;
}

describe("a configuration that holds", () => {
  test("a file with the three required keys gets every default", () => {
    const { config, warnings } = load(minimal);
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({
      profile: "strict",
      posture: "strict",
      tenant: "default",
      agent: {
        id: "support-bot",
        version: null,
        scope: null,
        owner_team: null,
        model: null,
        parent: null,
      },
      user: { id: "alice", groups: [], data_classifications_authorized: [] },
      environment: { region: null, is_production: true },
      layers: [],
      decisions: {
        store: { kind: "embedded" },
        durability: "sync",
        onFailure: "fail_operation",
        spoolMaxBytes: Number.MAX_SAFE_INTEGER,
      },
      policy: { deadlineMs: 250, inputMaxBytes: 1_048_576, memoryMaxMb: 64 },
    });
    expect(config.agent.authenticated).toBe(true);
    expect([...config.servers]).toEqual([]);
  });

  test("comments, trailing commas and a byte order mark are accepted", () => {
    const text = `\uFEFF// who acts\n{ "agent": {"id": "a",}, /* and for whom */ "user": {"id": "u"}, "servers": {}, }\n`;
    expect(load(text).config.agent.id).toBe("a");
  });

  test("paths are relative to the file and not to the current folder", () => {
    const folder = temporaryFolder();
    const layers = [{ name: "identity", kind: "identity", policy: { bundle: "file:policies" } }];
    const servers = { crm: server, mail: { ...server, cwd: "mail", policy: "oci-layout:/x:mail" } };
    const path = writeConfig({ ...minimal, servers, layers }, folder);
    const { config } = loadConfig({ path, env: {} });
    expect(config.servers.get("crm")).toMatchObject({
      transport: { kind: "stdio", cwd: folder, args: ["main.js"] },
      policy: { reference: `oci-layout:${join(folder, "dist")}:crm` },
    });
    expect(config.servers.get("mail")?.transport).toMatchObject({ cwd: join(folder, "mail") });
    expect(config.servers.get("mail")?.policy?.reference).toBe("oci-layout:/x:mail");
    expect(config.layers[0]?.policy.reference).toBe(`file:${join(folder, "policies")}`);
  });

  test("an entry pasted from a client loads, and what has no effect is said", () => {
    const pasted = { type: "stdio", timeout: 600, alwaysLoad: true, disabled: true };
    const env = { PORT: 8080, GONE: null };
    const { config, warnings } = load({
      ...minimal,
      servers: { crm: { ...server, ...pasted, env } },
    });
    const crm = config.servers.get("crm");
    expect(crm?.disabled).toBe(true);
    expect(Object(crm?.transport).env).toEqual({ PORT: "8080" });
    expect(warnings.map((warning) => warning.message)).toEqual([
      "servers.crm.timeout has no effect; use call_timeout_ms",
      "servers.crm.alwaysLoad has no effect",
    ]);
  });

  test("the operator's labels of tools are kept by exact name", () => {
    const tools = { Export_All: { data_classes: ["bulk"] }, constructor: { labels: ["x"] } };
    const { config } = load({ ...minimal, servers: { crm: { ...server, tools } } });
    expect(config.servers.get("crm")?.tools).toEqual(
      new Map([
        ["Export_All", { dataClasses: ["bulk"], labels: [] }],
        ["constructor", { dataClasses: [], labels: ["x"] }],
      ]),
    );
  });

  test("a Postgres URL makes a Postgres store with a limited spool", () => {
    const { config } = load({ ...minimal, decisions: { store: "postgres://u@db/x" } });
    expect(config.decisions.store).toEqual({ kind: "postgres", url: "postgres://u@db/x" });
    expect(config.decisions.spoolMaxBytes).toBe(1_073_741_824);
  });

  test("profile trial may weaken promises, and its posture names the settings", () => {
    const decisions = { durability: "async", on_failure: "continue" };
    expect(load({ ...minimal, profile: "trial", decisions }).config.posture).toBe(
      "trial:decisions.durability=async,decisions.on_failure=continue",
    );
    expect(load({ ...minimal, profile: "trial" }).config.posture).toBe("trial:none");
  });

  test("registry hosts are compared in lower case", () => {
    const registries = { "Registry.Example:5000": { username: "u", password: "p" } };
    expect([...load({ ...minimal, registries }).config.registries.keys()]).toEqual([
      "registry.example:5000",
    ]);
  });

  test("a server without a policy is warned about", () => {
    const { warnings } = load({ ...minimal, servers: { crm: { command: "node" } } });
    expect(warnings[0]?.message).toBe(
      "servers.crm has no policy: every call to it is denied with no_policy",
    );
  });

  test("a variable in another client's dialect is warned about", () => {
    const servers = { crm: { ...server, args: ["${workspaceFolder}/x"] } };
    expect(load({ ...minimal, servers }).warnings[0]?.message).toContain(
      "servers.crm.args.0: only ${env:NAME} and ${file:PATH} are expanded",
    );
  });
});

describe("a file that cannot be used", () => {
  test("a missing file is config_not_found and named", () => {
    const path = join(temporaryFolder(), "none.json");
    const error = refusal(() => loadConfig({ path, env: {} }));
    expect(error.code).toBe("config_not_found");
    expect(error.message).toContain(path);
  });

  test("a folder is config_unreadable", () => {
    expect(refusal(() => loadConfig({ path: temporaryFolder(), env: {} })).code).toBe(
      "config_unreadable",
    );
  });

  test("bytes that are not UTF-8 are config_unreadable", () => {
    const path = join(temporaryFolder(), "latin1.json");
    writeFileSync(path, Buffer.from([0x22, 0xe9, 0x22]), { mode: 0o600 });
    const error = refusal(() => loadConfig({ path, env: {} }));
    expect([error.code, error.message]).toEqual([
      "config_unreadable",
      `expected UTF-8 text in ${path}`,
    ]);
  });

  test("a file over one mebibyte is config_unreadable", () => {
    expect(refusal(() => load(" ".repeat(1_048_577))).code).toBe("config_unreadable");
  });

  test("a file whose folder is a file is config_unreadable", () => {
    const path = join(writeConfig(minimal), "x.json");
    expect(refusal(() => loadConfig({ path, env: {} })).code).toBe("config_unreadable");
  });

  test("a file that every user can write is refused with the command to run", () => {
    const path = writeConfig(minimal);
    chmodSync(path, 0o602);
    const error = refusal(() => loadConfig({ path, env: {}, platform: "linux" }));
    expect(error.code).toBe("config_world_writable");
    expect(error.message).toContain(`chmod o-w ${path}`);
    expect(loadConfig({ path, env: {}, platform: "win32" }).config.path).toBe(path);
  });

  test.skipIf(noPipes)("a pipe that nobody writes to is refused and not waited for", () => {
    const path = makePipe(join(temporaryFolder(), "pipe"));
    expect(refusal(() => loadConfig({ path, env: {} })).message).toBe(`expected a file at ${path}`);
  });

  test("an empty file is said to be empty", () => {
    expect(problemsOf(" \n")).toEqual(["expected a JSON object, found an empty file"]);
  });

  test("a list instead of an object is a wrong type of the whole", () => {
    expect(problemsOf("[]")).toEqual(["expected an object, found a list"]);
  });
});

describe("${file:…} names a secret beside the configuration", () => {
  const registries = { "r.example": { username: "u", password: "${file:secrets/password}" } };

  function withSecret(content: string | Uint8Array, mode = 0o600): string {
    const path = writeConfig({ ...minimal, registries });
    mkdirSync(join(dirname(path), "secrets"));
    writeFileSync(join(dirname(path), "secrets", "password"), content);
    chmodSync(join(dirname(path), "secrets", "password"), mode);
    return path;
  }

  test("its content is used without the last line end", () => {
    const { config, warnings } = loadConfig({ path: withSecret(" open\nsesame \r\n"), env: {} });
    expect(config.registries.get("r.example")?.password).toBe(" open\nsesame ");
    expect(warnings).toEqual([]);
  });

  test("one that every user can read is warned about", () => {
    const path = withSecret("x", 0o604);
    const { warnings } = loadConfig({ path, env: {}, platform: "linux" });
    expect(warnings[0]?.message).toContain("chmod o-r");
  });

  test("one that every user can write is refused", () => {
    const path = withSecret("x", 0o602);
    const error = refusal(() => loadConfig({ path, env: {}, platform: "linux" }));
    expect(error.problems[0]?.message).toContain("chmod o-w");
  });

  test("a missing one is refused with its absolute path", () => {
    const path = withSecret("x");
    rmSync(join(dirname(path), "secrets", "password"));
    const error = refusal(() => loadConfig({ path, env: {} }));
    expect(error.problems.map((problem) => problem.message)).toEqual([
      `registries.r.example.password: cannot read ${join(dirname(path), "secrets", "password")}: ENOENT`,
    ]);
  });

  test("one over 64 KiB is refused", () => {
    const path = withSecret("x".repeat(65_537));
    expect(refusal(() => loadConfig({ path, env: {} })).problems[0]?.message).toContain(
      "expected at most 65536 bytes",
    );
  });

  test("one that is not UTF-8 is refused", () => {
    const path = withSecret(Buffer.from([0xff]));
    expect(refusal(() => loadConfig({ path, env: {} })).problems[0]?.message).toContain(
      "expected UTF-8 text in",
    );
  });

  test.skipIf(noPipes)("a pipe that nobody writes to is refused and not waited for", () => {
    const path = withSecret("x");
    const secret = join(dirname(path), "secrets", "password");
    rmSync(secret);
    makePipe(secret);
    expect(refusal(() => loadConfig({ path, env: {} })).problems[0]?.message).toBe(
      `registries.r.example.password: expected a file at ${secret}`,
    );
  });
});
