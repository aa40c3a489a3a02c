/**
 * Conversations that a trusted runtime names, end to end: they do not mix, nothing that was seen in one
 * gets out of it, and nobody else names any.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { freshEnvironment, root, runBin, serveCommand } from "../support/gateway-process.ts";
import { startRawClient } from "../support/raw-client.ts";
import type { RawClient } from "../support/raw-client.ts";
import { startTestRedis } from "../support/redis.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const member = "io.mcp-gateway/conversation";
const secret = "nora.vance@northwind-bakery.example.com";
const letter = { to: "partner@outside.example", subject: "Hello", body: "What you asked for" };
const slow = { timeout: 120_000 };

interface World {
  readonly config: string;
  readonly env: Record<string, string>;
  readonly open: (env?: Record<string, string>) => Promise<Talk>;
  /** What was sent by mail. */
  readonly sent: () => string;
}

/** One connection; each request is of the conversation with this id, or of none. */
interface Talk {
  readonly client: RawClient;
  readonly call: (id: string | undefined, name: string, args?: object) => Promise<string>;
  /** Reads a stranger's message and a customer's record. */
  readonly readBoth: (id: string | undefined) => Promise<void>;
}

function makeWorld(more: object = { trusted_runtimes: ["support-*"] }): World {
  const folder = temporaryFolder();
  const outbox = join(folder, "outbox.jsonl");
  const config = join(folder, "mcp-gateway.config.json");
  const env = freshEnvironment();
  const policyOf = (name: string) => `oci-layout:${root}/bundles/dist:${name}`;
  const server = (name: string) => ({
    command: process.execPath,
    args: [join(root, `servers/${name}/main.js`)],
    policy: policyOf(name),
    region: "us-east",
  });
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
      crm: server("crm"),
      mail: {
        ...server("mail"),
        external: true,
        env: { MAIL_OUTBOX_FILE: outbox },
        tools: { send_email: { result: { labels: ["first_party"] } } },
      },
    },
    layers: ["workflow", "compliance"].map((kind) => ({
      name: kind,
      kind,
      policy: policyOf(kind),
    })),
    ...more,
  };
  writeFileSync(config, JSON.stringify(about), { mode: 0o600 });
  return {
    config,
    env,
    open: async (own = env) => talk(await startRawClient(serveCommand(config, own))),
    sent: () => (existsSync(outbox) ? readFileSync(outbox, "utf8") : ""),
  };
}

function talk(client: RawClient): Talk {
  onTestFinished(async () => {
    if (client.child.signalCode === null) await client.end();
  });
  const call: Talk["call"] = async (id, name, args = {}) => {
    const _meta = id === undefined ? {} : { [member]: { id } };
    return JSON.stringify(await client.request("tools/call", { name, arguments: args, _meta }));
  };
  const readBoth: Talk["readBoth"] = async (id) => {
    expect(await call(id, "mail__list_messages")).not.toContain("io.mcp-gateway/decision");
    expect(await call(id, "crm__get_customer", { id: "C-17" })).toContain(secret);
  };
  return { client, call, readBoth };
}

const sendLetter = ({ call }: Talk, id: string | undefined) => call(id, "mail__send_email", letter);

describe("what a trusted runtime keeps apart", () => {
  test("does not mix, and the flow is stopped where it is whole", slow, async () => {
    const world = makeWorld();
    const one = await world.open();
    await one.readBoth("a");
    expect(await sendLetter(one, "b")).not.toContain("io.mcp-gateway/decision");
    expect(world.sent()).toContain(letter.to);

    const before = world.sent();
    expect(await sendLetter(one, "a")).toContain('"toxic_flow"');
    const none = await sendLetter(one, undefined);
    expect(none).toContain('"toxic_flow"');
    expect(none).toContain("has seen customer_data (crm");
    expect(world.sent()).toBe(before);
  });

  test("outlives kill -9, and is known to a gateway that ran all the time", slow, async () => {
    const world = makeWorld();
    const [one, other] = [await world.open(), await world.open()];
    expect(await other.call("b", "mail__list_messages")).not.toContain("io.mcp-gateway/decision");
    await one.readBoth("a");
    one.client.child.kill("SIGKILL");
    for (const again of [other, await world.open()]) {
      expect(await sendLetter(again, "a")).toContain('"toxic_flow"');
      expect(await sendLetter(again, undefined)).toContain('"toxic_flow"');
      expect(world.sent()).toBe("");
    }
    expect(await sendLetter(other, "b")).not.toContain("io.mcp-gateway/decision");
    expect(world.sent()).toContain(letter.to);
  });

  test("is refused where nobody can read whose it is", slow, async () => {
    const one = await makeWorld().open();
    const _meta = { [member]: { id: "" } };
    const params = { name: "mail__list_messages", arguments: {}, _meta };
    expect(await one.client.request("tools/call", params)).toMatchObject({
      error: { code: -32_602, message: expect.stringContaining(`params._meta["${member}"].id`) },
    });
  });
});

test(
  "an agent that is not listed names no conversation, and the record says so",
  slow,
  async () => {
    const world = makeWorld({ trusted_runtimes: ["other"] });
    const one = await world.open();
    await one.readBoth("a");
    expect(await sendLetter(one, "b")).toContain('"toxic_flow"');
    expect(world.sent()).toBe("");
    await one.client.end();
    const { config, env } = world;
    const { stdout } = await runBin(
      ["decision", "list", "--config", config, "-o", "jsonl", "--tool", "send_email"],
      env,
    );
    const { decision_id: id } = Object(JSON.parse(stdout));
    const got = await runBin(
      ["decision", "get", String(id), "--config", config, "-o", "json"],
      env,
    );
    expect(JSON.parse(got.stdout)).toMatchObject({
      admission: {
        dropped: [`/_meta/${member}`],
        input: { context: { conversation_id: expect.stringMatching(/^[0-9a-f-]{36}$/) } },
      },
    });
  },
);

const redis = await startTestRedis();
afterAll(() => redis?.stop());

describe.runIf(redis)("two gateways of one Redis, each with a disk of its own", () => {
  const shared = {
    trusted_runtimes: ["support-bot"],
    state: { conversations: "shared", redis_url: redis?.url },
  };

  test("know what the other's conversations saw, and deny while it is away", slow, async () => {
    const world = makeWorld(shared);
    const [one, other] = [await world.open(), await world.open(freshEnvironment())];
    await one.readBoth("a");
    expect(await sendLetter(other, "a")).toContain('"toxic_flow"');
    expect(await sendLetter(other, undefined)).toContain('"toxic_flow"');
    expect(world.sent()).toBe("");
    expect(await sendLetter(other, "b")).not.toContain("io.mcp-gateway/decision");

    await redis?.stop();
    expect(await sendLetter(other, "b")).toContain("state_unavailable");
    await redis?.start();
    await expect.poll(() => sendLetter(other, "b")).not.toContain("io.mcp-gateway/decision");
  });
});
