/**
 * A configuration with a secret in every place that takes one, the servers and receivers around it, and
 * what is left behind.
 */
import { createPublicKey } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { join } from "node:path";
import { expect } from "vitest";
import { systemClock } from "../../src/config/ambient.ts";
import { openStore } from "../../src/decision/store/open-store.ts";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { freshEnvironment, root } from "../support/gateway-process.ts";
import { createTestLog } from "../support/log.ts";
import { buildLayout } from "../support/policy-layout.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import type { Left, PlantedPlace } from "./planted-secrets.ts";
import { plantSecrets } from "./planted-secrets.ts";

export const secrets = plantSecrets();
/** One of them. */
export const secret = (place: PlantedPlace): string => secrets.get(place) ?? "";
/** What is left behind, and what was sent to those who are told. */
export const left: Left[] = [];
const folder = temporaryFolder();
export const env = freshEnvironment({
  MCP_GATEWAY_LOG: "debug",
  ...Object.fromEntries(
    [...secrets]
      .filter(([place]) => place !== "unmask_key")
      .map(([place, value]) => [place.toUpperCase(), value]),
  ),
});

const masks = [
  "/input/action/args/erased",
  { op: "upsert", path: "/input/action/args/replaced", value: "somebody" },
];
const server = `
allow contains "all" if input.action.server

# METADATA
# title: What the server has may be read
# custom:
#   id: leaky.read
#   actions: [resource_read, prompt_get, completion]
allow contains {"rule": rego.metadata.rule()} if input.action.server

# METADATA
# title: The server may ask for a note
# custom:
#   id: leaky.ask
#   actions: [elicitation, sampling]
allow contains {"rule": rego.metadata.rule()} if input.action.type in ["elicitation", "sampling"]

deny contains {"code": "weak_password", "message": message, "details": {"given": input.action.args.password}} if {
	input.action.args.refuse
	message := sprintf("password %v of %v is weak", [input.action.args.password, input.user.id])
}
`;
const identity = `
capabilities := {"servers": ["*"], "tools": ["*", "elicitation:*", "sampling:*"], "scopes": ["*"]}

require_approval contains {"code": "people_first", "approvers": ["self"], "ttl_seconds": ttl} if {
	input.action.tool == "hold"
}

ttl := 3 if input.action.args.brief

ttl := 600 if not input.action.args.brief
`;

let layout = "";
/** Answers with what it was sent, as servers that fail do. */
let upstream: Server;
let upstreamUrl = "";
/** Keeps what webhooks are sent. */
let hooks: Server;
let hooksUrl = "";
/** Keeps what is told of metrics and traces. */
let collector: Server;
let collectorUrl = "";

/** Builds the policies and opens what the gateways reach. */
export async function openWorld(): Promise<void> {
  layout = await buildLayout({
    leaky: { rego: server, metadata: { masks } },
    remote: { rego: 'allow contains "all" if input.action.server' },
    identity: { rego: identity, layer: "identity" },
  });
  [upstream, upstreamUrl] = await listen((headers) => JSON.stringify(headers), 500);
  [collector, collectorUrl] = await listen((_, body) => {
    left.push({ where: "what a collector was sent", text: body });
    return "{}";
  }, 200);
  [hooks, hooksUrl] = await listen((headers, body) => {
    left.push({ where: "a webhook's body", text: body });
    return "";
  }, 200);
}

export function closeWorld(): void {
  upstream.close();
  hooks.close();
  collector.close();
}

async function listen(
  answer: (headers: object, body: string) => string,
  status: number,
): Promise<[Server, string]> {
  const opened = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = answer(request.headers, Buffer.concat(chunks).toString("latin1"));
      response.writeHead(status, { "content-type": "text/plain" }).end(body);
    });
  });
  await new Promise<void>((resolve) => opened.listen(0, "127.0.0.1", resolve));
  return [opened, `http://127.0.0.1:${Object(opened.address()).port}`];
}

function secretFile(place: PlantedPlace): string {
  const path = join(folder, `${place}.secret`);
  writeFileSync(path, `${secret(place)}\n`, { mode: 0o600 });
  return `\${file:${path}}`;
}

/** All that gateways have of those who unmask. */
function recipient(): string {
  const open = createPublicKey(secret("unmask_key"));
  return open.export({ type: "spki", format: "pem" }).toString();
}

const fromEnv = (place: PlantedPlace): string => `\${env:${place.toUpperCase()}}`;

/** Every place of a configuration that takes a secret. */
export function writeConfig(more: object = {}): string {
  const leaks = join(folder, "leaks.json");
  writeFileSync(leaks, JSON.stringify(Object.fromEntries(secrets)));
  const policy = (name: string) => `oci-layout:${layout}:${name}`;
  const path = writeFixtureConfig(
    {
      leaky: {
        policy: policy("leaky"),
        settings: {
          args: [join(root, "test", "fixtures", "leaking-server.js")],
          env: {
            LEAKS: leaks,
            A_TOKEN: fromEnv("env_of_server"),
            B_TOKEN: secretFile("file_of_server"),
            C_SECRET: secret("literal_of_server"),
          },
          to_client: ["elicitation", "sampling"],
        },
      },
    },
    {
      layers: [{ name: "identity", kind: "identity", policy: policy("identity") }],
      approvals: {
        wait: "1s",
        webhooks: [
          {
            name: "desk",
            url: `${hooksUrl}/${fromEnv("webhook_url")}`,
            secret: fromEnv("webhook_secret"),
            include_arguments: true,
          },
        ],
      },
      registries: {
        "127.0.0.1:9": { username: "robot", password: fromEnv("registry_password") },
        "127.0.0.1:10": { token: secretFile("registry_token") },
      },
      state_key: fromEnv("state_key"),
      telemetry: {
        otlp: {
          endpoint: collectorUrl,
          headers: { "x-key": fromEnv("otlp_header") },
          interval: "1s",
        },
      },
      decisions: {
        masking: {
          paths: ["/input/action/args/by_path", "/input/action/args/list/*/by_path"],
          key: fromEnv("mask_key"),
          recipients: [recipient()],
        },
        checkpoints: { key: secretFile("checkpoint_key"), every: "1s" },
      },
      ...more,
    },
  );
  addServers(path, {
    remote: {
      url: `${upstreamUrl}/mcp?api_key=${encodeURIComponent(secret("url_query"))}`,
      headers: { "x-one": fromEnv("header_of_env"), "x-two": secretFile("header_of_file") },
      policy: policy("remote"),
    },
  });
  return path;
}

function addServers(path: string, servers: object): void {
  const config = JSON.parse(readFileSync(path, "utf8"));
  config.servers = { ...config.servers, ...servers };
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
}

/** Every row of every table, as JSON. */
export async function dumpTables(stateDir: string): Promise<Left> {
  const store = { kind: "embedded" } as const;
  const database = await openStore({ stateDir, store, clock: systemClock, log: createTestLog() });
  try {
    const tables = await database.query(
      "SELECT table_schema || '.' || table_name AS name FROM information_schema.tables WHERE table_schema IN ('mcp_gateway', 'public')",
      [],
    );
    const rows: string[] = [];
    for (const { name } of tables) {
      const found = await database.query(
        `SELECT row_to_json(t)::text AS row FROM ${String(name)} AS t`,
        [],
      );
      rows.push(
        ...found.map(({ row }) => String(row)),
        ...found.map(({ row }) => opened(String(row))),
      );
    }
    expect(rows.length).toBeGreaterThan(60);
    return { where: "the tables", text: rows.join("\n") };
  } finally {
    await database.close();
  }
}

/** Bytea columns are written in hexadecimal. */
function opened(row: string): string {
  return row.replaceAll(/\\\\x([0-9a-f]+)/g, (_, hex: string) =>
    Buffer.from(hex, "hex").toString("latin1"),
  );
}
