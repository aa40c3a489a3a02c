# The gateway enforces the limits of the manifest by itself; what is here is for the time before.
package mcp.payments

# METADATA
# title: Payments are looked at and refunded.
# custom:
#   id: payments.use
allow contains {"rule": rego.metadata.rule()} if input.action.tool in ["get_payment", "refund"]

# METADATA
# title: A person agrees once four fifths of the day's refunds are used.
# custom:
#   id: payments.much_refunded
#   code: much_refunded_today
require_approval contains {"rule": rego.metadata.rule()} if {
	refunds := input.usage.refunds_per_day
	refunds.used >= 0.8 * refunds.limit
}
