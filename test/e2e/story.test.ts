/**
 * The story of the README, told by every kind of client that there is: both SDKs, both eras.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client as ClientV2 } from "@modelcontextprotocol/client";
import { StdioClientTransport as StdioV2 } from "@modelcontextprotocol/client/stdio";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as StdioV1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { describe, expect, test } from "vitest";
import type { Command } from "../support/gateway-process.ts";
import {
  demoConfig,
  freshEnvironment,
  root,
  runBin,
  serveCommand,
} from "../support/gateway-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

interface AnyClient {
  readonly listTools: () => Promise<{ readonly tools: readonly { readonly name: string }[] }>;
  readonly callTool: (call: {
    name: string;
    arguments: Record<string, unknown>;
  }) => Promise<object>;
  readonly close: () => Promise<void>;
}

const clients: Readonly<Record<string, (command: Command) => Promise<AnyClient>>> = {
  "SDK 1.x": async (command) => {
    const client = new ClientV1({ name: "v1", version: "1" });
    await client.connect(new StdioV1(command));
    return client;
  },
  "SDK 2.x in the legacy era": async (command) => {
    const client = new ClientV2({ name: "v2", version: "2" });
    await client.connect(new StdioV2(command));
    return client;
  },
  "SDK 2.x that probes for its era": async (command) => {
    const options = { versionNegotiation: { mode: "auto" } } as const;
    const client = new ClientV2({ name: "v2-auto", version: "2" }, options);
    await client.connect(new StdioV2(command));
    return client;
  },
  "SDK 2.x in the modern era": async (command) => {
    const options = { versionNegotiation: { mode: { pin: "2026-07-28" } } } as const;
    const client = new ClientV2({ name: "v2-modern", version: "2" }, options);
    await client.connect(new StdioV2(command));
    return client;
  },
};

/** The demo as it is, but that its policies have long to decide: a busy machine denies nothing here. */
function patientDemo(): string {
  const text = readFileSync(demoConfig, "utf8")
    .replace('"profile"', '"policy": { "deadline_ms": 10000 }, "profile"')
    .replaceAll('"servers/', `"${root}/servers/`)
    .replaceAll("oci-layout:", `oci-layout:${root}/`);
  const path = join(temporaryFolder(), "mcp-gateway.config.json");
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

const outside = { to: "partner@outside.example", subject: "Meeting", body: "See you at ten." };
const unauthorized = "data_class_unauthorized_for_user";

/** Reasons of a call, `["allow"]` where it went through. */
async function reasonsOf(client: AnyClient, name: string, args: Record<string, unknown>) {
  const result = await client.callTool({ name, arguments: args });
  const meta = "_meta" in result ? Object(result._meta) : {};
  const decision = meta["io.mcp-gateway/decision"];
  return decision === undefined ? ["allow"] : decision.reasons;
}

describe.each(Object.entries(clients))("with %s", (_, connect) => {
  test("the story comes out as told, and the store says the same", async () => {
    const env = freshEnvironment();
    const client = await connect(serveCommand(patientDemo(), env));
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      "crm__search_customers",
      "crm__get_customer",
      "crm__export_customers",
      "crm__update_customer",
      "crm__delete_customer",
      "mail__list_messages",
      "mail__send_email",
    ]);

    expect(await reasonsOf(client, "mail__send_email", outside)).toEqual(["allow"]);
    expect(await reasonsOf(client, "crm__search_customers", { query: "Northwind" })).toEqual([
      "allow",
    ]);
    expect(await reasonsOf(client, "crm__get_customer", { id: "C-17" })).toEqual(["allow"]);
    expect(await reasonsOf(client, "crm__export_customers", {})).toEqual([unauthorized]);
    expect(await reasonsOf(client, "crm__delete_customer", { id: "C-17" })).toEqual([
      "approval_required",
    ]);
    expect(await reasonsOf(client, "mail__send_email", outside)).toEqual(["customer_data_egress"]);
    await client.close();

    const { stdout, code } = await runBin(["decision", "list", "-o", "json"], env);
    expect(code).toBe(0);
    const { items } = JSON.parse(stdout);
    const told = items.map((item: Record<string, unknown>) => [
      item["tool"],
      item["effect"],
      item["outcome"],
    ]);
    expect(told.toReversed()).toEqual([
      ["send_email", "allow", "completed"],
      ["search_customers", "allow", "completed"],
      ["get_customer", "allow", "completed"],
      ["export_customers", "deny", "not_forwarded"],
      ["delete_customer", "hold", "not_forwarded"],
      ["send_email", "deny", "not_forwarded"],
    ]);
  });
});

test("a denial tells the agent why, what to do, what to use instead and where to appeal", async () => {
  const client = new ClientV1({ name: "v1", version: "1" });
  await client.connect(new StdioV1(serveCommand(patientDemo())));
  const result = await client.callTool({ name: "crm__export_customers", arguments: {} });
  await client.close();
  expect(result).toMatchObject({
    isError: true,
    _meta: {
      "io.mcp-gateway/decision": {
        allow: false,
        effect: "deny",
        reasons: [unauthorized],
        remediation: "request_elevated_data_access",
        metadata: {
          matched_rules: ["compliance.user_data_access"],
          alternatives: ["crm__get_customer", "crm__search_customers"],
          appeal_path: expect.stringContaining("https://"),
          bundles: { crm: { digest: expect.stringMatching(/^sha256:/) } },
        },
      },
    },
  });
});
