package mcp.payments_test

import data.mcp.payments

refund(used) := {
	"action": {"type": "tool_call", "server": "payments", "tool": "refund", "args": {"amount": 20}},
	"usage": {"refunds_per_day": {"used": used, "limit": 500}},
}

test_a_refund_is_granted if {
	count(payments.allow) == 1 with input as refund(0)
	count(payments.require_approval) == 0 with input as refund(399.99)
}

test_a_person_agrees_once_much_is_used if {
	some request in payments.require_approval with input as refund(400)
	request.rule.custom.code == "much_refunded_today"
}

test_what_counts_nothing_is_not_held if {
	count(payments.require_approval) == 0 with input as {"action": {"tool": "get_payment"}, "usage": {}}
}
