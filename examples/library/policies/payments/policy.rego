# METADATA
# title: Payments
# description: What an agent of support may do with payments, as the finance team wants it.
# custom:
#   owner: finance
package mcp.payments

import data.lib.blast_radius
import data.lib.roles

# METADATA
# title: Support looks at payments
# description: Every agent that may see this server looks at single payments.
# custom:
#   id: payments.look
#   severity: low
#   owner: finance
allow contains {"rule": rego.metadata.rule()} if input.action.tool == "get_payment"

# METADATA
# title: The refund desk refunds
# description: Whose user is of finance or leads support, and whose agent works in support.
# custom:
#   id: payments.refund
#   severity: medium
#   owner: finance
allow contains {"rule": rego.metadata.rule()} if {
	input.action.tool == "refund"
	roles.has_role(data.mcp.payments.settings.roles, "refunds")
}

# METADATA
# title: A person agrees to a large refund
# description: More than 500 euros leave with nobody looking, unless a person agrees first.
# custom:
#   id: payments.large_refund
#   code: large_refund
#   severity: high
#   remediation: wait_for_approval
#   disclose: text
#   audit: true
#   owner: finance
require_approval contains {"rule": rego.metadata.rule()} if {
	input.action.tool == "refund"
	blast_radius.exceeds(["amount"], data.mcp.payments.settings.largest_refund)
}
