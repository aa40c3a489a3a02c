import { chmodSync, mkdirSync, statSync, utimesSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { askGateways } from "../../src/admin/ask-gateways.ts";
import { mayUse } from "../../src/admin/admin-route.ts";
import { adminRoles } from "../../src/config/admin-config.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import type { Answered } from "./open-test-admin.ts";
import { ask, openTestAdmin, tokens } from "./open-test-admin.ts";

const codeOf = ({ body }: Answered): unknown => Object(body).error?.code;

describe("the socket", () => {
  test("is for its owner alone, in a folder for its owner alone", async () => {
    const stateDir = temporaryFolder();
    mkdirSync(join(stateDir, "admin"));
    chmodSync(join(stateDir, "admin"), 0o755);
    const { admin } = await openTestAdmin({ stateDir });
    expect(statSync(admin.socketPath ?? "").mode & 0o777).toBe(0o600);
    expect(statSync(join(stateDir, "admin")).mode & 0o777).toBe(0o700);
  });

  test("lets its owner do everything, without a token and in the owner's name", async () => {
    const { admin, notes } = await openTestAdmin();
    const body = { kind: "agent", id: "bot", reason: "it loops with hunter2" };
    const blocked = await ask({ socketPath: admin.socketPath }, "POST /v1/blocks", { body });
    expect(blocked).toMatchObject({ status: 201, body: { by: "alice", scope: "this_machine" } });
    const reason = "it loops with [masked]";
    expect(blocked).toMatchObject({ body: { reason } });
    expect(notes).toMatchObject([{ kind: "admin", action: "block", by: "alice", reason }]);
  });

  test("is one for each process, found by commands, and gone when its gateway ends", async () => {
    const { admin, stateDir } = await openTestAdmin();
    const { admin: second } = await openTestAdmin({ stateDir });
    const found = await askGateways(stateDir, "/v1/status");
    const sockets = new Set(found.map(({ socketPath }) => socketPath));
    expect(sockets).toEqual(new Set([admin.socketPath, second.socketPath]));
    expect(found[0]?.body).toMatchObject({ version: "0", bundles: [{ name: "crm" }] });
    await second.close();
    expect(await askGateways(stateDir, "/v1/status")).toHaveLength(1);
  });

  test("of a process that was killed is removed by the next one, and no living one's", async () => {
    const { admin, stateDir } = await openTestAdmin();
    const dead = join(stateDir, "admin", "1-dead.sock");
    const program = `require("net").createServer().listen(${JSON.stringify(dead)}, () => process.kill(process.pid, "SIGKILL"))`;
    spawnSync(process.execPath, ["-e", program]);
    const old = Date.now() / 1000 - 60;
    for (const path of [dead, admin.socketPath ?? ""]) utimesSync(path, old, old);
    expect(existsSync(dead)).toBe(true);
    await openTestAdmin({ stateDir });
    expect(existsSync(dead)).toBe(false);
    expect(existsSync(admin.socketPath ?? "")).toBe(true);
  });

  test("is left out where no socket can have such a long path, and the log says so", async () => {
    const stateDir = join(temporaryFolder(), "d".repeat(100));
    mkdirSync(stateDir, { mode: 0o700 });
    const { admin, log } = await openTestAdmin({ stateDir });
    expect(admin.socketPath).toBeUndefined();
    expect(log.lines.some(({ message }) => message.startsWith("no admin socket"))).toBe(true);
    expect(await ask(admin, "GET /livez")).toMatchObject({ status: 200 });
  });
});

describe("the address", () => {
  test("is told once it is open", async () => {
    const { admin, log } = await openTestAdmin();
    const told = log.lines.find(({ message }) => message === "admin interface open");
    expect(told?.data).toEqual({ url: admin.url });
  });

  test("that is taken is an error in the log, and the socket is there all the same", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => void taken.listen(0, "127.0.0.1", resolve));
    const { port } = Object(taken.address());
    const { admin, log } = await openTestAdmin({ port });
    expect(admin.url).toBeUndefined();
    const errors = log.lines.filter(({ level }) => level === "error");
    expect(errors).toMatchObject([{ data: { code: "admin_listen_failed" } }]);
    expect(await ask({ socketPath: admin.socketPath }, "GET /livez")).toMatchObject({
      status: 200,
    });
    taken.close();
  });

  test.each([
    ["no token", {}],
    ["another token", { token: "guess" }],
    ["a token that is part of one", { token: tokens.operator.slice(0, -1) }],
    ["another scheme", { headers: { authorization: `Basic ${tokens.operator}` } }],
    ["the digest in place of the token", { token: "0".repeat(64) }],
  ])("is closed to %s, whatever the path", async (_, asking) => {
    const { admin } = await openTestAdmin();
    for (const line of ["GET /v1/status", "POST /v1/blocks", "GET /v1/nothing", "GET /"]) {
      const answer = await ask(admin, line, asking);
      expect(answer.status).toBe(401);
      expect(codeOf(answer)).toBe("admin_unauthorized");
      expect(answer.headers["www-authenticate"]).toBe("Bearer");
    }
  });

  test("tells nobody's token to the log", async () => {
    const { admin, log } = await openTestAdmin();
    await ask(admin, "GET /v1/status", { token: "guessed-secret" });
    await ask(admin, "GET /v1/failing", { token: tokens.viewer });
    const said = JSON.stringify(log.lines);
    expect(said).not.toContain("guessed-secret");
    expect(said).not.toContain(tokens.viewer);
  });
});

describe("a browser", () => {
  test.each([
    ["a page of this machine", { origin: "http://127.0.0.1" }],
    ["a page of another", { origin: "https://evil.example" }],
    ["a page that hides where it is", { origin: "null" }],
    ["a page that follows a link", { "sec-fetch-site": "cross-site" }],
  ])("is turned away with %s, even with a token", async (_, headers) => {
    const { admin, blocks } = await openTestAdmin();
    const body = { kind: "agent", id: "bot" };
    const asking = { token: tokens.operator, headers, body };
    for (const where of [admin, { socketPath: admin.socketPath }]) {
      const answer = await ask(where, "POST /v1/blocks", asking);
      expect(answer.status).toBe(403);
      expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
    }
    expect(blocks.list()).toEqual([]);
  });

  test.each(["evil.example", "evil.example:80", "127.0.0.1", "0.0.0.0:1", "[::1]:1"])(
    "is turned away where a name was rebound: %s",
    async (host) => {
      const { admin } = await openTestAdmin();
      const answer = await ask(admin, "GET /v1/status", {
        token: tokens.operator,
        headers: { host },
      });
      expect(answer.status).toBe(403);
    },
  );

  test("that asks whether it may gets no answer that would let it", async () => {
    const { admin } = await openTestAdmin();
    const headers = { origin: "https://evil.example", "access-control-request-method": "POST" };
    const answer = await ask(admin, "OPTIONS /v1/blocks", { headers });
    expect(answer.status).toBe(403);
    const names = Object.keys(answer.headers);
    expect(names.filter((name) => name.startsWith("access-control"))).toEqual([]);
    expect(answer.headers["set-cookie"]).toBeUndefined();
  });

  test.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])(
    "cannot send a body as a form does: %s",
    async (type) => {
      const { admin, blocks } = await openTestAdmin();
      const answer = await ask(admin, "POST /v1/blocks", {
        token: tokens.operator,
        headers: { "content-type": type },
        raw: '{"kind":"agent","id":"bot"}',
      });
      expect(answer.status).toBe(400);
      expect(blocks.list()).toEqual([]);
    },
  );
});

describe("roles", () => {
  test("each route refuses every role that it does not name", async () => {
    const { admin, routes } = await openTestAdmin();
    const seen: string[] = [];
    for (const { method, path, role } of routes) {
      const asked = path.replace(":kind", "agent").replace(":id", "nobody");
      for (const holder of adminRoles) {
        const caller = { name: holder, via: "token" as const, roles: [holder] };
        const { status } = await ask(admin, `${method} ${asked}`, { token: tokens[holder] });
        const isAllowed = mayUse(caller, role);
        expect([method, path, holder, status === 403]).toEqual([method, path, holder, !isAllowed]);
        if (!isAllowed) seen.push(`${holder} ${method} ${path}`);
      }
    }
    expect(seen).toEqual([
      "viewer POST /v1/blocks",
      "approver POST /v1/blocks",
      "viewer DELETE /v1/blocks/:kind/:id*",
      "approver DELETE /v1/blocks/:kind/:id*",
      "viewer POST /v1/approvals/:id",
      "operator POST /v1/approvals/:id",
    ]);
  });
});

describe("requests", () => {
  test("of health need no token and say nothing else", async () => {
    const { admin, state } = await openTestAdmin();
    expect(await ask(admin, "GET /livez")).toMatchObject({ status: 200, body: { status: "live" } });
    expect((await ask(admin, "GET /readyz")).status).toBe(503);
    state.isReady = true;
    expect(await ask(admin, "GET /readyz")).toMatchObject({
      status: 200,
      body: { status: "ready" },
    });
    expect((await ask(admin, "POST /livez")).status).toBe(405);
  });

  test.each([
    ["GET /v1/nothing", 404],
    ["GET /v1/blocks/", 404],
    ["GET /v1/blocks/agent", 404],
    ["DELETE /v1/blocks//bot", 404],
    ["GET /v1/%zz", 404],
    ["GET //v1/blocks", 404],
    ["PUT /v1/blocks", 405],
    ["OPTIONS /v1/status", 405],
  ])("%s is answered with %d", async (line, status) => {
    const { admin } = await openTestAdmin();
    expect((await ask(admin, line, { token: tokens.operator })).status).toBe(status);
  });

  test("that fail unexpectedly say where to look and nothing else", async () => {
    const { admin, log } = await openTestAdmin();
    const answer = await ask(admin, "GET /v1/failing", { token: tokens.viewer });
    expect(answer).toMatchObject({ status: 500, body: { error: { code: "internal_error" } } });
    expect(JSON.stringify(answer.body)).not.toContain("secret detail");
    expect(log.lines.at(-1)).toMatchObject({ level: "error", data: { reason: "secret detail" } });
  });

  test.each([
    ["no JSON", "{"],
    ["no object", "[]"],
    ["a member that nobody knows", '{"kind":"agent","id":"bot","until":"tomorrow"}'],
    ["no id", '{"kind":"agent"}'],
    ["no such kind", '{"kind":"bot","id":"bot"}'],
    ["a server that is not configured", '{"kind":"server","id":"crn"}'],
    ["an empty reason", '{"kind":"agent","id":"bot","reason":""}'],
    ["a scope that there is not", '{"kind":"agent","id":"bot","scope":"everywhere"}'],
    ["broken UTF-8", "\u{fffd}".repeat(3)],
    ["too many levels", `${"[".repeat(30_000)}${"]".repeat(30_000)}`],
  ])("with %s are the caller's fault", async (_, raw) => {
    const { admin, blocks, notes } = await openTestAdmin();
    const answer = await ask(admin, "POST /v1/blocks", { token: tokens.operator, raw });
    expect(answer.status).toBe(400);
    expect(blocks.list()).toEqual([]);
    expect(notes).toEqual([]);
  });

  test.each([
    ["16 levels", 16, '"reason"'],
    ["17 levels", 17, "at most 16 levels"],
  ])("with %s are refused by what is wrong with them", async (_, levels, found) => {
    const { admin } = await openTestAdmin();
    const raw = `${"[".repeat(levels)}${"]".repeat(levels)}`;
    const answer = await ask(admin, "POST /v1/blocks", { token: tokens.operator, raw });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).toContain(found.replaceAll('"', '\\"'));
  });

  test("over the limit are refused, and the next one is read", async () => {
    const { admin } = await openTestAdmin();
    const raw = JSON.stringify({ kind: "agent", id: "b".repeat(70_000) });
    const answer = await ask(admin, "POST /v1/blocks", { token: tokens.operator, raw });
    expect(answer.status).toBe(413);
    expect((await ask(admin, "GET /livez")).status).toBe(200);
  });
});

describe("blocks", () => {
  test("are made, listed and lifted in the name of the token", async () => {
    const { admin, blocks, notes } = await openTestAdmin();
    const token = tokens.operator;
    const body = { kind: "tool", id: "crm/a b", reason: "it leaks" };
    expect((await ask(admin, "POST /v1/blocks", { token, body })).status).toBe(201);
    const again = await ask(admin, "POST /v1/blocks", { token, body });
    expect(again).toMatchObject({ status: 200, body: { is_new: false, by: "operator-token" } });
    const listed = await ask(admin, "GET /v1/blocks", { token: tokens.viewer });
    const item = { kind: "tool", id: "crm/a b", reason: "it leaks", scope: "this_machine" };
    expect(listed.body).toMatchObject({ items: [item], away: [] });

    const path = "DELETE /v1/blocks/tool/crm%2Fa%20b";
    expect((await ask(admin, path, { token })).status).toBe(400);
    const lifted = await ask(admin, path, { token, body: { reason: "mended" } });
    expect(lifted).toMatchObject({ status: 200, body: { scopes: ["this_machine"] } });
    expect(blocks.list()).toEqual([]);
    expect(notes.map((note) => Object(note).action)).toEqual(["block", "lift"]);
    const plain = "DELETE /v1/blocks/tool/crm/a%20b";
    const unknown = await ask(admin, plain, { token, body: { reason: "mended" } });
    expect(codeOf(unknown)).toBe("block_unknown");
    expect((await ask(admin, "POST /v1/blocks", { token, body })).status).toBe(201);
    const liftedPlainly = await ask(admin, plain, { token, body: { reason: "mended" } });
    expect(liftedPlainly.status).toBe(200);
    const gone = await ask(admin, path, { token, body: { reason: "mended" } });
    expect(gone.status).toBe(404);
    expect(codeOf(gone)).toBe("block_unknown");
  });
});
