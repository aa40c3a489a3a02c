/** Small policies that several tests ask about. */

export const crmPolicy = `package mcp.crm

# METADATA
# title: Support reads customers
# custom: {id: CRM-A1}
allow contains {"rule": rego.metadata.rule()} if {
	input.action.tool == "get_customer"
	input.agent.scope in data.mcp.crm.scopes
}

# METADATA
# title: No exports
# description: Everything at once leaves nothing to ask for.
# custom: {id: CRM-D1, code: export_forbidden, remediation: ask_for_one}
deny contains {"rule": rego.metadata.rule(), "details": {"tool": input.action.tool}} if {
	input.action.tool == "export_customers"
}

hide contains "internal_tool" if input.action.tool == "purge"

data_classes contains "customer_data" if input.action.tool in {"get_customer", "export_customers"}
`;

export const crmTests = `package mcp.crm_test

import data.mcp.crm

test_support_reads if {
	count(crm.allow) == 1 with input as {"action": {"tool": "get_customer"}, "agent": {"scope": "support"}}
}

test_export_is_refused if {
	some denial in crm.deny with input as {"action": {"tool": "export_customers"}}
	denial.rule.custom.code == "export_forbidden"
}
`;

export const crmSources = {
  modules: { "crm.rego": crmPolicy },
  data: { mcp: { crm: { scopes: ["support"] } } },
  manifest: { revision: "1.4.7", roots: ["mcp/crm"], metadata: { name: "crm" } },
};

/** An input document as the gateway makes it, for one tool of the server `crm`. */
export function callOf(tool: string) {
  return {
    version: 1,
    phase: "call",
    agent: {
      id: "support-bot",
      version: null,
      scope: "support",
      owner_team: "cx",
      model: null,
      parent: null,
      authenticated: true,
    },
    user: { id: "alice", groups: ["support"], data_classifications_authorized: ["public"] },
    action: {
      type: "tool_call",
      direction: "to_server",
      server: "crm",
      tool,
      args: { id: "C-17" },
      data_classes_referenced: ["unclassified"],
      labels: [],
      annotations: {},
      definition_digest: "sha256:00",
      destination: { region: "us-east", external: false },
    },
    environment: { region: "us-east", time: "2026-11-22T13:45:00Z", is_production: true },
  } as const;
}
