package org.overrides.policy_test

import data.org.overrides

granted := {
	"bundle": "crm",
	"rule": "crm.field_not_editable",
	"agent": "support-bot",
	"user": "alice",
	"server": "crm",
	"tool": "update_customer",
	"justification": "Migration of credit limits, agreed with billing",
	"expires": "2026-12-01T00:00:00Z",
	"ticket": "SEC-204",
}

test_by_default_nothing_is_lifted_and_nothing_is_stopped if {
	count(overrides.waive) == 0 with input as call
	count(overrides.warn) == 0 with input as call
	count(overrides.deny) == 0 with input as call
}

test_an_exception_lifts_the_denial_it_names if {
	lifted := overrides.waive with input as call
		with data.org.overrides.settings.exceptions as [granted]
	lifted == {{
		"bundle": "crm",
		"rule": "crm.field_not_editable",
		"justification": "Migration of credit limits, agreed with billing",
		"expires": "2026-12-01T00:00:00Z",
		"ticket": "SEC-204",
	}}
	count(overrides.warn) == 0 with input as call
		with data.org.overrides.settings.exceptions as [granted]
}

test_an_exception_is_for_one_call_of_one_agent_and_user if {
	every field in {"agent", "user", "server", "tool"} {
		every value in {"other", "*", "", null} {
			other := object.union(granted, {field: value})
			is_silent(other, call)
			is_silent(object.union(other, {"expires": "2025-12-01T00:00:00Z"}), call)
		}
		is_silent(object.remove(granted, [field]), call)
	}
}

test_an_exception_without_a_denial_says_nothing if {
	every denials in [[], [{"bundle": "crm", "rule": "crm.customer_id"}], [{"bundle": "x", "rule": granted.rule}], null] {
		undenied := object.union(call, {"denials": denials})
		is_silent(granted, undenied)
		is_silent(object.union(granted, {"expires": "2025-12-01T00:00:00Z"}), undenied)
	}
	is_silent(granted, object.remove(call, ["denials"]))
}

test_an_exception_that_is_over_lifts_nothing_and_is_noted if {
	every expires in {"2026-11-22T13:45:00Z", "2026-11-22T13:44:59Z", "2025-12-01T00:00:00Z"} {
		lapsed(object.union(granted, {"expires": expires}))
	}
}

test_an_exception_ends_to_the_second if {
	counts(object.union(granted, {"expires": "2026-11-22T13:45:01Z"}))
	counts(object.union(granted, {"expires": "2026-11-22T15:45:01+02:00"}))
	lapsed(object.union(granted, {"expires": "2026-11-22T15:45:00+02:00"}))
}

test_an_exception_without_an_end_in_sight_lifts_nothing if {
	counts(object.union(granted, {"expires": "2027-02-20T13:45:00Z"}))
	every expires in {"2027-02-20T13:45:01Z", "2099-01-01T00:00:00Z"} {
		lapsed(object.union(granted, {"expires": expires}))
	}
}

test_an_exception_with_an_unreadable_end_lifts_nothing if {
	every expires in {"", "never", "2026-12-01", 1795355100, null} {
		lapsed(object.union(granted, {"expires": expires}))
	}
}

test_an_exception_without_reason_or_ticket_lifts_nothing if {
	every field in {"justification", "ticket"} {
		every value in {"", "   ", null, 17} {
			lapsed(object.union(granted, {field: value}))
		}
		lapsed(object.remove(granted, [field]))
	}
	unended := object.remove(granted, ["expires"])
	lapsed(unended)
}

test_without_a_time_nothing_is_lifted if {
	count(overrides.waive) == 0 with input as object.remove(call, ["environment"])
		with data.org.overrides.settings.exceptions as [granted]
}

test_a_stop_of_a_server_stops_all_its_tools if {
	every stop in [{"server": "crm"}, {"server": "crm", "tool": "*", "ticket": "SEC-1"}] {
		some denial in overrides.deny with input as call
			with data.org.overrides.settings.stops as [stop]
		denial.rule.custom.code == "emergency_stop"
		denial.rule.custom.overridable == false
	}
}

test_a_stop_of_a_tool_stops_that_tool if {
	count(overrides.deny) == 1 with input as call
		with data.org.overrides.settings.stops as [{"server": "crm", "tool": "update_customer"}]
	every stop in [{"server": "crm", "tool": "get_customer"}, {"server": "mail"}, {"tool": "update_customer"}] {
		count(overrides.deny) == 0 with input as call
			with data.org.overrides.settings.stops as [stop]
	}
}

test_a_stop_names_its_ticket if {
	some denial in overrides.deny with input as call
		with data.org.overrides.settings.stops as [{"server": "crm", "ticket": "SEC-7"}]
	denial.details.ticket == "SEC-7"
}

is_silent(exception, document) if {
	count(overrides.waive) == 0 with input as document
		with data.org.overrides.settings.exceptions as [exception]
	count(overrides.warn) == 0 with input as document
		with data.org.overrides.settings.exceptions as [exception]
}

counts(exception) if {
	count(overrides.waive) == 1 with input as call
		with data.org.overrides.settings.exceptions as [exception]
}

lapsed(exception) if {
	count(overrides.waive) == 0 with input as call
		with data.org.overrides.settings.exceptions as [exception]
	some note in overrides.warn with input as call
		with data.org.overrides.settings.exceptions as [exception]
	note.rule.custom.id == "overrides.lapsed_exception"
	note.details == {"bundle": "crm", "rule": "crm.field_not_editable"}
}

call := {
	"version": 1,
	"phase": "call",
	"agent": {"id": "support-bot", "scope": "customer_support"},
	"user": {"id": "alice"},
	"action": {
		"type": "tool_call",
		"server": "crm",
		"tool": "update_customer",
		"args": {"id": "C-17", "credit_limit": 1},
	},
	"environment": {"region": "us-east", "time": "2026-11-22T13:45:00Z", "is_production": true},
	"denials": [{"bundle": "crm", "rule": "crm.field_not_editable", "code": "field_not_editable", "overridable": true}],
}
