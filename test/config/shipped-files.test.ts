import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { releaseJsonSchema } from "../../src/bundle/release/release-document.ts";
import { configJsonSchema } from "../../src/config/config-schema.ts";
import { loadConfig } from "../../src/config/load-config.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(join(root, path), "utf8"));
}

describe("the JSON Schema for editors", () => {
  test("is the one that scripts/build-schema.js writes from the current code", () => {
    expect(readJson("schema/mcp-gateway.schema.json")).toEqual(configJsonSchema());
    expect(readJson("schema/release.schema.json")).toEqual(releaseJsonSchema());
  });
});

describe("the root configuration", () => {
  const { config, warnings } = loadConfig({ path: join(root, "mcp-gateway.config.json"), env: {} });

  test("loads without a warning and weakens nothing", () => {
    expect(warnings).toEqual([]);
    expect(config.posture).toBe("strict");
  });

  test("is the demo's: agent, user and environment", () => {
    expect(config.agent).toMatchObject({
      id: "support-bot",
      scope: "customer_support",
      owner_team: "cx",
    });
    expect(config.user).toEqual({
      id: "alice",
      groups: ["support"],
      data_classifications_authorized: ["public", "internal", "customer_data", "contact_data"],
    });
    expect(config.environment).toEqual({ region: "us-east", is_production: true });
  });

  test("has both servers with their bundles and a label for every tool", () => {
    const policies = [...config.servers.values()].map(({ id, policy }) => [id, policy?.reference]);
    expect(policies).toEqual([
      ["crm", `oci-layout:${join(root, "bundles/dist")}:crm`],
      ["mail", `oci-layout:${join(root, "bundles/dist")}:mail`],
    ]);
    expect([...(config.servers.get("crm")?.tools.keys() ?? [])]).toHaveLength(5);
    expect(config.servers.get("crm")?.tools.get("export_customers")?.dataClasses).toEqual([
      "customer_data",
      "bulk_customer_data",
    ]);
    expect(config.servers.get("mail")?.external).toBe(true);
    expect(config.servers.get("mail")?.tools.get("list_messages")).toEqual({
      dataClasses: ["internal"],
      labels: ["untrusted_content"],
    });
  });

  test("has the organisation's four layers in the order in which they are asked", () => {
    expect(config.layers.map(({ kind }) => kind)).toEqual([
      "identity",
      "workflow",
      "compliance",
      "overrides",
    ]);
  });
});

describe("the entry for Claude Desktop", () => {
  const entry = z.object({ command: z.literal("node"), args: z.array(z.string()) });
  const file = z.object({ mcpServers: z.object({ "mcp-gateway": entry }) });
  const { args } = file.parse(readJson("examples/claude-desktop/claude_desktop_config.json"))
    .mcpServers["mcp-gateway"];

  test("starts the package's bin with serve --stdio and an absolute --config", () => {
    const bin = z.object({ bin: z.object({ "mcp-gateway": z.string() }) });
    const path = bin.parse(readJson("package.json")).bin["mcp-gateway"];
    expect(args).toEqual([
      `/ABSOLUTE/PATH/TO/mcp-gateway/${path}`,
      "serve",
      "--stdio",
      "--config",
      "/ABSOLUTE/PATH/TO/mcp-gateway/mcp-gateway.config.json",
    ]);
  });

  test("is the command that the README beside it gives for Claude Code", () => {
    const readme = readFileSync(join(root, "examples/claude-desktop/README.md"), "utf8");
    expect(readme).toContain(`mcp-gateway -- node ${args.join(" ")}`);
  });
});
