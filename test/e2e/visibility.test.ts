/**
 * A tool that policy hides does not exist for the agent: not in the list, not when called, whatever
 * the arguments are, and whatever its server says of itself.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { freshEnvironment, runBin, serveCommand } from "../support/gateway-process.ts";
import { allowAll, buildLayout } from "../support/policy-layout.ts";
import { startRawClient } from "../support/raw-client.ts";

const openTools = 'capabilities := {"servers": ["*"], "tools": ["*"], "scopes": ["*"]}';

let layout = "";

beforeAll(async () => {
  layout = await buildLayout({
    ok: { rego: `${allowAll.rego}\nlabels contains "vetted"\ndata_classes contains "public"` },
    unvetted: {
      layer: "identity",
      rego: `${openTools}\nhide contains "not_vetted" if not "vetted" in input.action.labels`,
    },
    unclassified: {
      layer: "identity",
      rego: `${openTools}\nhide contains "bare" if count(input.action.data_classes_referenced) == 0`,
    },
    narrow: {
      layer: "identity",
      rego: 'capabilities := {"servers": ["ok"], "tools": ["echo"], "scopes": ["test"]}',
    },
    failing: {
      layer: "identity",
      rego: `${openTools}
hide contains "x" if conflict == 3
conflict := 1 if input.version == 1
conflict := 2 if input.action.tool == "echo"`,
    },
  });
});

async function open(identity: string, env = freshEnvironment()) {
  const policy = (name: string) => `oci-layout:${layout}:${name}`;
  const layers = [{ name: identity, kind: "identity", policy: policy(identity) }];
  const client = await startRawClient(
    serveCommand(writeFixtureConfig({ ok: { policy: policy("ok") } }, { layers }), env),
  );
  const { result } = await client.request("tools/list");
  const listed: string[] = Object(result).tools.map(({ name }: { name: string }) => name);
  const errorOf = async (tool: string, args: object = {}) => {
    const { error } = await client.call(tool, args);
    return JSON.stringify(error)?.replace(tool, "NAME");
  };
  return { client, listed, errorOf };
}

describe("a tool that is hidden", () => {
  test.each(["unvetted", "unclassified"])(
    "in the list is hidden when called, whatever its server's bundle adds (%s)",
    async (identity) => {
      const { client, listed, errorOf } = await open(identity);
      expect(listed).toEqual([]);
      expect(await errorOf("ok__echo")).toContain("Unknown tool: NAME");
      await client.end();
    },
  );

  test("is told from an unknown one by no size of arguments", async () => {
    const { client, listed, errorOf } = await open("narrow");
    expect(listed).toEqual(["ok__echo"]);
    const unknown = await errorOf("ok__nope");
    for (const args of [
      {},
      { x: "y".repeat(1_200_000) },
      { n: Array.from({ length: 300_000 }, () => 1) },
    ]) {
      expect(await errorOf("ok__slow", args)).toBe(unknown);
    }
    await client.end();
  });

  test("is in the record with the rule that hid it", async () => {
    const env = freshEnvironment();
    const { client, errorOf } = await open("narrow", env);
    await errorOf("ok__slow", { secret: 1 });
    await client.end();
    const { stdout } = await runBin(["decision", "list", "-o", "jsonl"], env);
    expect(JSON.parse(stdout)).toMatchObject({ tool: "slow", reasons: ["outside_capabilities"] });
  });

  test("includes one on which the layer that would hide it fails", async () => {
    const { client, listed, errorOf } = await open("failing");
    expect(listed).not.toContain("ok__echo");
    expect(listed).toContain("ok__slow");
    expect(await errorOf("ok__echo")).toContain("Unknown tool: NAME");
    await client.end();
  });
});
