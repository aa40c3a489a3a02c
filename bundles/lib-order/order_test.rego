package lib.order_test

import data.lib.order

needed := {"deploy/release": ["tests_passed", "change_reviewed"]}

test_a_step_waits_for_those_before if {
	order.missing_steps(needed) == {"tests_passed", "change_reviewed"} with input as call("deploy", "release", [])
	order.missing_steps(needed) == {"change_reviewed"} with input as call("deploy", "release", ["tests_passed"])
}

test_a_step_follows_those_before if {
	done := ["change_reviewed", "tests_passed", "untrusted_content"]
	order.missing_steps(needed) == set() with input as call("deploy", "release", done)
}

test_where_nobody_knows_every_step_is_missing if {
	unknown := {"action": {"server": "deploy", "tool": "release"}}
	count(order.missing_steps(needed)) == 2 with input as unknown
}

test_other_tools_wait_for_nothing if {
	order.missing_steps(needed) == set() with input as call("deploy", "status", [])
}

test_the_same_name_at_another_server_is_another_tool if {
	order.missing_steps(needed) == set() with input as call("notes", "release", [])
}

call(server, tool, labels) := {
	"action": {"type": "tool_call", "server": server, "tool": tool},
	"context": {"labels_seen": labels},
}
