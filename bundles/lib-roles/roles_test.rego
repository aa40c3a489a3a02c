package lib.roles_test

import data.lib.roles

register := {
	"refunds": {"groups": ["finance", "cx-leads"], "scopes": ["customer_support"]},
	"audit": {"groups": ["auditors"], "scopes": ["audit"]},
}

test_a_role_is_for_a_group_and_a_scope if {
	roles.has_role(register, "refunds") with input as by(["cx-leads", "staff"], "customer_support", true)
	roles.roles_of(register) == {"refunds"} with input as by(["finance", "auditors"], "customer_support", true)
}

test_neither_is_enough if {
	every caller in [by(["finance"], "audit", true), by(["staff"], "customer_support", true), by([], null, true), {}] {
		not roles.has_role(register, "refunds") with input as caller
	}
}

test_an_agent_that_nobody_verified_has_no_role if {
	not roles.has_role(register, "refunds") with input as by(["finance"], "customer_support", false)
}

test_a_role_that_nobody_registered_is_none if {
	not roles.has_role(register, "admin") with input as by(["finance"], "customer_support", true)
	not roles.has_role({"admin": {"groups": ["finance"]}}, "admin") with input as by(["finance"], "customer_support", true)
}

test_ones_own_records_are_ones_own if {
	not roles.is_somebody_else("user") with input as about("alice")
	every name in {"bob", "", null, ["alice"]} {
		roles.is_somebody_else("user") with input as about(name)
	}
	roles.is_somebody_else("user") with input as {"user": {"id": "alice"}, "action": {"args": {}}}
}

by(groups, scope, authenticated) := {
	"agent": {"id": "support-bot", "scope": scope, "authenticated": authenticated},
	"user": {"id": "alice", "groups": groups},
}

about(name) := {"user": {"id": "alice"}, "action": {"args": {"user": name}}}
