/**
 * More than 50 secrets go through whole gateways, on stdio and over HTTP, by every way that anything
 * comes in: arguments, results, errors, headers, variables, names, reasons. None of them is left in any
 * file, table, log or answer about what happened.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { bin, runBin, serveCommand } from "../support/gateway-process.ts";
import { startRawClient } from "../support/raw-client.ts";
import type { PlantedPlace } from "./planted-secrets.ts";
import { filesBelow, findSecrets } from "./planted-secrets.ts";
import { answerQuestion, readAndComplete } from "./secret-client.ts";
import {
  closeWorld,
  dumpTables,
  env,
  left,
  openWorld,
  secret,
  secrets,
  writeConfig,
} from "./secret-world.ts";

const timeoutMs = 240_000;
const cameThrough = [
  "result",
  "error_message",
  "tool_error",
  "progress",
  "log",
  "resource_text",
  "prompt_result",
  "prompt_argument",
  "completion_argument",
  "sampling_question",
] as const;
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

beforeAll(openWorld, timeoutMs);
afterAll(closeWorld);

test("there are more than 50, and the search finds each of them in every form", () => {
  expect(secrets.size).toBeGreaterThan(50);
  expect(new Set(secrets.values()).size).toBe(secrets.size);
  for (const [place, value] of secrets) {
    const forms = [value, encodeURIComponent(value), Buffer.from(value).toString("base64")];
    for (const text of [...forms, JSON.stringify({ value })]) {
      const found = findSecrets(secrets, [{ where: "here", text: `x ${text} y` }]);
      expect(found.join()).toContain(`${place} in here`);
    }
  }
});

test("a client on stdio", { timeout: timeoutMs }, async () => {
  const config = writeConfig();
  const client = await startRawClient(serveCommand(config, env), {
    capabilities: { elicitation: {}, sampling: {} },
    clientInfo: { name: secret("client_name"), version: "1" },
  });
  await client.request("tools/list");
  const echo = (args: object) => client.call("leaky__echo", args);
  await echo({
    deep: { nested: secret("nested") },
    list: [[secret("array")]],
    [secret("name")]: 1,
  });
  await echo({ long: `${"words and ".repeat(400)}${secret("long_text")}${" more".repeat(400)}` });
  await echo({ json: JSON.stringify({ a: [{ b: secret("json_text") }] }) });
  await echo({ data: Buffer.from(`key: ${secret("base64")}`).toString("base64") });
  await echo({ q: `a=ü&token=${secret("percent")}`.replaceAll(/[=&ü]/gu, encodeURIComponent) });
  await echo({ header: `Authorization: Bearer ${secret("bearer")}`, api_key: secret("by_name") });
  await echo({ card: Number(secret("card")), text: `card ${secret("card")}` });
  await echo({ file: secret("private_key"), jwt: secret("jwt") });
  const listed = ["-----BEGIN PRIVATE KEY-----", secret("listed_key"), "-----END PRIVATE KEY-----"];
  await echo({ lines: listed });
  await echo({ password: secret("schema_password"), nested: { pin: secret("schema_nested") } });
  await echo({ by_path: secret("path"), list: [{ by_path: secret("path_item") }] });
  await echo({ erased: secret("bundle_remove"), replaced: secret("bundle_upsert") });
  const refused = await echo({ refuse: true, password: secret("reason_echo") });
  expect(JSON.stringify(refused)).toContain("weak_password");
  await client.request("tools/call", {
    name: "leaky__echo",
    arguments: {},
    [secret("dropped_param")]: 1,
    _meta: {
      [secret("meta_name")]: 1,
      other: secret("meta_value"),
      traceparent: secret("trace"),
    },
  });
  await client.call(`leaky__${secret("unknown_tool")}`);
  await client.request("resources/read", { uri: `https://u:${secret("unknown_uri")}@h/` });
  await client.request("resources/subscribe", { uri: `x://${secret("resource_template")}` });
  await client.request("prompts/get", { name: secret("unknown_prompt"), arguments: {} });
  client.send({ jsonrpc: "2.0", id: 999, method: "tools/call", params: secret("malformed") });
  for (const place of ["result", "structured", "error_message", "error_data", "tool_error"]) {
    await client.call("leaky__leak", { place });
  }
  for (const place of ["stderr", "stderr_key", "progress", "log", "log_message", "garbage"]) {
    const params = { name: "leaky__leak", arguments: { place }, _meta: { progressToken: place } };
    await client.request("tools/call", params);
  }
  await readAndComplete(client);
  const note = { note: secret("answer") };
  await answerQuestion(client, "ask", "elicitation/create", { action: "accept", content: note });
  const content = { type: "text", text: `open with ${secret("sampling_answer")}` };
  await answerQuestion(client, "sample", "sampling/createMessage", {
    role: "assistant",
    model: "m",
    content,
  });
  await client.call("remote__anything", {});
  await decideHeld(config, client.call);
  expect(await client.end()).toBe(0);
  left.push({ where: "the log on stdio", text: client.stderr() });
  // What came at the client's own place came through: the secrets were really planted.
  const seen = JSON.stringify(client.received);
  for (const place of cameThrough) {
    expect(seen).toContain(secret(place));
  }
});

/** One is denied, one is used and one expires. */
async function decideHeld(
  config: string,
  call: (name: string, args: object) => Promise<object>,
): Promise<void> {
  const approval = async (...args: readonly string[]) => {
    const ran = await runBin(["approval", ...args, "--config", config], env);
    return ran;
  };
  const hold = async (place: PlantedPlace, more: object = {}) => {
    const password = secret(place);
    const held = JSON.stringify(await call("leaky__hold", { password, ...more }));
    const { stdout } = await approval("list", "-o", "json");
    // While it waits whoever decides sees it whole.
    const id = String(
      JSON.parse(stdout).items[0]?.id ?? /approval ([0-9a-f-]{36})/.exec(held)?.[1],
    );
    return id;
  };
  const denied = await hold("held_denied");
  const whole = await approval("get", denied, "-o", "json");
  expect(JSON.parse(JSON.parse(whole.stdout).arguments).password).toBe(secret("held_denied"));
  const why = `no: ${secret("approve_reason")}`;
  expect(await approval("deny", denied, "--why", why)).toMatchObject({ code: 0 });
  const used = await hold("held_used");
  expect(await approval("approve", used)).toMatchObject({ code: 0 });
  await call("leaky__hold", { password: secret("held_used") });
  await hold("held_expired", { brief: true });
  const state = join(String(env["MCP_GATEWAY_STATE"]), "approvals");
  await eventually(
    () => !readdirSync(state).some((name) => name.endsWith(".arguments.json")),
    60_000,
  );
}

test("clients over HTTP, and somebody at the admin interface", { timeout: timeoutMs }, async () => {
  const tokens = [
    { sha256: sha256(secret("front_token")), agent: { id: "bot" }, user: { id: "alice" } },
  ];
  const adminPort = await freePort();
  const config = writeConfig({
    http: { authorization: { tokens } },
    admin: {
      http: `127.0.0.1:${adminPort}`,
      tokens: [
        { name: "desk", sha256: sha256(secret("admin_token")), roles: ["operator", "viewer"] },
      ],
    },
  });
  const args = [bin, "serve", "--http", "127.0.0.1:0", "--config", config];
  const child = spawn(process.execPath, args, { env });
  const ended = new Promise((resolve) => child.once("close", resolve));
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString("latin1")));
  await eventually(() => log.includes("listening on"), 60_000);
  const [, origin = ""] = /^listening on (\S+)$/m.exec(log) ?? [];
  const post = async (path: string, headers: Record<string, string>, method = "tools/call") =>
    await fetch(`${origin}${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...headers,
      },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method,
        params: { name: "leaky__echo", arguments: { a: 1 } },
      }),
    }).then(async (response) => `${response.status} ${await response.text()}`);
  const authorization = `Bearer ${secret("front_token")}`;
  await post("/mcp", { authorization });
  await post("/mcp", { authorization, "mcp-session-id": secret("front_session") });
  await post(`/mcp?token=${secret("front_query")}`, { authorization });
  await post(`/callback?code=${secret("front_code")}`, {}, "POST");
  expect(await post("/mcp", { authorization: `Bearer ${secret("front_bad_token")}` })).toMatch(
    /^401/,
  );
  const ask = async (path: string, token: string) => {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`http://127.0.0.1:${adminPort}${path}`, { headers });
    left.push({ where: `admin ${path}`, text: await response.text() });
    return response.status;
  };
  await eventually(
    async () => (await ask("/v1/status", secret("admin_token")).catch(() => 0)) === 200,
  );
  const told = ["approvals", "blocks", "budgets", "bundles"].map((at) => `/v1/${at}`);
  for (const path of [...told, "/metrics"]) {
    await ask(path, secret("admin_token"));
  }
  expect(await ask("/v1/status", secret("admin_bad_token"))).toBe(401);
  const block = [
    "block",
    "agent",
    secret("block_subject"),
    "--why",
    `uses ${secret("block_reason")}`,
  ];
  await runBin([...block, "--config", config], env);
  await runBin(
    ["block", "lift", "agent", secret("block_subject"), "--why", "over", "--config", config],
    env,
  );
  child.kill("SIGTERM");
  await ended;
  left.push({ where: "the log over HTTP", text: log });
});

test("a gateway whose stores are away", { timeout: timeoutMs }, async () => {
  const away = (scheme: string, place: PlantedPlace) =>
    `${scheme}://robot:${encodeURIComponent(secret(place))}@127.0.0.1:1/none`;
  const config = writeConfig({
    decisions: { store: away("postgres", "store_password") },
    state: { redis_url: away("redis", "redis_password"), conversations: "shared" },
  });
  const client = await startRawClient(serveCommand(config, env));
  await client.request("tools/list");
  await client.call("leaky__echo", { a: 1 });
  const listed = await runBin(["decision", "list", "--config", config], env);
  expect(await client.end()).toBe(0);
  left.push({
    where: "the log without stores",
    text: client.stderr() + listed.stdout + listed.stderr,
  });
});

test(
  "nothing of it is left in any file, table, log, command or answer",
  { timeout: timeoutMs },
  async () => {
    const stateDir = String(env["MCP_GATEWAY_STATE"]);
    const config = writeConfig();
    const listed = await runBin(
      ["decision", "list", "-o", "json", "--limit", "500", "--config", config],
      env,
    );
    left.push({ where: "decision list", text: listed.stdout + listed.stderr });
    const ids: readonly unknown[] = JSON.parse(listed.stdout).items.map(
      (item: unknown) => Object(item).decision_id,
    );
    expect(ids.length).toBeGreaterThan(30);
    const got = await runBin(
      ["decision", "get", String(ids[0]), "-o", "json", "--config", config],
      env,
    );
    const notes = await runBin(
      ["decision", "list", "--kind", "admin", "-o", "json", "--config", config],
      env,
    );
    const approvals = await runBin(
      ["approval", "list", "--all", "-o", "json", "--config", config],
      env,
    );
    for (const { stdout, stderr } of [got, notes, approvals])
      left.push({ where: "a command", text: stdout + stderr });
    const records = await dumpTables(stateDir);
    expect(records.text).toContain("masked:hmac:");
    left.push(records, ...filesBelow(stateDir));
    expect(left.length).toBeGreaterThan(20);
    expect(findSecrets(secrets, left)).toEqual([]);
  },
);
