/**
 * The story of the demo, asked of the compiled bundles one by one: what each layer says about each
 * call. How the layers' answers become one is tested with the gateway.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadPolicy } from "@open-policy-agent/opa-wasm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import type { JsonObject } from "../../src/contract/json.ts";
import { buildPolicyFolder } from "../../src/rego/build-policy-folder.ts";
import { createRegoToolchain } from "../../src/rego/create-rego-toolchain.ts";

const bundlesFolder = fileURLToPath(new URL("../../bundles", import.meta.url));
const layers = ["crm", "mail", "identity", "workflow", "compliance", "overrides"] as const;
type Layer = (typeof layers)[number];

const element = z.looseObject({
  rule: z.object({ custom: z.looseObject({ id: z.string(), code: z.string().optional() }) }),
});
const decisionSchema = z.looseObject({
  allow: z.array(element).default([]),
  deny: z.array(element).default([]),
  require_approval: z.array(element).default([]),
  warn: z.array(element).default([]),
  waive: z.array(z.unknown()).default([]),
});
type Decision = z.infer<typeof decisionSchema>;

const toolchain = createRegoToolchain();
const policies = new Map<Layer, (input: JsonObject) => Decision>();

beforeAll(async () => {
  for (const layer of layers) policies.set(layer, await compile(layer));
});
afterAll(() => toolchain.close());

describe("the story, in the compiled bundles", () => {
  const outside = mail("partner@outside.example");

  it("lets mail to an outside address go while no customer data was seen", () => {
    expect(ask("mail", outside).allow).toMatchObject([{ rule: { custom: { id: "mail.send" } } }]);
    expect(objections(outside)).toEqual([]);
  });

  it.each([
    ["search_customers", { query: "vance" }],
    ["get_customer", { id: "C-17" }],
  ] as const)("lets %s go", (tool, args) => {
    const input = call("crm", tool, args);
    expect(ask("crm", input).allow).toMatchObject([{ rule: { custom: { id: "crm.read" } } }]);
    expect(objections(input)).toEqual([]);
  });

  it("refuses the export by the compliance layer alone, though the crm bundle grants it", () => {
    const input = call("crm", "export_customers", {});
    expect(ask("crm", input).allow).toHaveLength(1);
    expect(objections(input)).toEqual(["deny compliance.user_data_access"]);
    expect(ask("compliance", input).deny[0]?.rule.custom).toMatchObject({
      code: "data_class_unauthorized_for_user",
      remediation: "request_elevated_data_access",
      alternatives: ["crm__get_customer", "crm__search_customers"],
      appeal: "https://tickets.example.com/new?form=data-access",
    });
  });

  it("holds the deletion for a person and objects to nothing else about it", () => {
    const input = call("crm", "delete_customer", { id: "C-17" });
    expect(ask("crm", input).allow).toHaveLength(1);
    expect(objections(input)).toEqual(["hold workflow.delete_needs_person"]);
    expect(ask("workflow", input).require_approval).toMatchObject([
      { approvers: ["group:cx-leads"], channels: ["console"], ttl_seconds: 900 },
    ]);
  });

  it("refuses the same mail once customer data was seen, and not one to a colleague", () => {
    const seen = { data_classes_seen: ["internal", "customer_data"] };
    const later = mail("partner@outside.example", seen);
    expect(objections(later)).toEqual(["deny workflow.customer_data_egress"]);
    expect(ask("workflow", later).deny[0]?.rule.custom.code).toBe("customer_data_egress");
    expect(objections(mail("ann@inside.example", seen))).toEqual([]);
  });

  it("shows an unknown agent nothing", () => {
    const input = { ...outside, agent: { ...agent, id: "intruder" } };
    const nowhere = { servers: [], tools: [], scopes: [] };
    expect(ask("identity", input)).toMatchObject({ capabilities: nowhere });
    expect(ask("identity", outside)).toMatchObject({
      capabilities: { servers: ["crm", "mail"], tools: ["*"], scopes: ["customer_support"] },
    });
  });
});

const destinations: Record<string, JsonObject> = {
  crm: { region: "us-east", external: false },
  mail: { region: null, external: true },
};

const agent = {
  id: "support-bot",
  scope: "customer_support",
  owner_team: "cx",
  model: null,
  parent: null,
  authenticated: false,
};

function mail(to: string, context: JsonObject = {}): JsonObject {
  return call("mail", "send_email", { to, subject: "Hello", body: "Hello." }, context);
}

/** The input document of a call as the root config makes it. */
function call(
  server: string,
  tool: string,
  args: JsonObject,
  context: JsonObject = {},
): JsonObject {
  return {
    version: 1,
    phase: "call",
    agent,
    user: {
      id: "alice",
      groups: ["support"],
      data_classifications_authorized: ["public", "internal", "customer_data"],
    },
    action: {
      type: "tool_call",
      direction: "to_server",
      server,
      tool,
      args,
      data_classes_referenced: classesOf(server, tool),
      labels: [],
      destination: destinations[server] ?? { region: null, external: true },
    },
    context: { data_classes_seen: [], labels_seen: [], ...context },
    environment: { region: "us-east", time: "2026-11-22T13:45:00Z", is_production: true },
    denials: [],
  };
}

function classesOf(server: string, tool: string): readonly string[] {
  if (server === "mail") return ["internal"];
  return tool === "export_customers" ? ["customer_data", "bulk_customer_data"] : ["customer_data"];
}

/** What speaks against a call, in any layer that is asked about it. */
function objections(input: JsonObject): readonly string[] {
  const { server } = z.object({ server: z.enum(["crm", "mail"]) }).parse(input["action"]);
  return ([server, "workflow", "compliance", "overrides"] as const).flatMap((layer) => {
    const { deny, require_approval } = ask(layer, input);
    return [
      ...deny.map(({ rule }) => `deny ${rule.custom.id}`),
      ...require_approval.map(({ rule }) => `hold ${rule.custom.id}`),
    ];
  });
}

function ask(layer: Layer, input: JsonObject): Decision {
  const policy = policies.get(layer);
  if (policy === undefined) throw new Error(`the ${layer} bundle was not compiled`);
  return policy(input);
}

async function compile(layer: Layer): Promise<(input: JsonObject) => Decision> {
  const built = await buildPolicyFolder(toolchain, join(bundlesFolder, layer));
  const wasm = built.files.get("policy.wasm");
  const data = built.files.get("data.json");
  if (wasm === undefined || data === undefined) throw new Error(`${layer}: no wasm or no data`);
  const policy = await loadPolicy(wasm, undefined, { "time.parse_rfc3339_ns": parseTimeNs });
  policy.setData(JSON.parse(new TextDecoder().decode(data)));
  const entrypoint = `${built.package.replaceAll(".", "/")}/decision`;
  return (input) => {
    const answers = z
      .tuple([z.object({ result: decisionSchema })])
      .parse(policy.evaluate(input, entrypoint));
    return answers[0].result;
  };
}

function parseTimeNs(time: string): number {
  return Date.parse(time) * 1e6;
}
