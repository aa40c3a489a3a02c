package lib.toxic_flows_test

import data.lib.toxic_flows

settings := {
	"private_classes": ["customer_data", "payment_data"],
	"inside": [
		{"server": "mail", "tool": "send_email", "recipient": "to", "domains": ["inside.example"]},
		{"server": "mail", "tool": "list_messages"},
	],
}

test_the_three_together_are_a_flow_that_says_what_was_read_where if {
	found := toxic_flows.flow(settings) with input as sending("eve@outside.example")
	found == {
		"private": {"customer_data": ["crm"]},
		"untrusted": {"untrusted_content": ["mail", "search"]},
		"way_out": "mail: send_email",
	}
	toxic_flows.told(found) == "The conversation has seen customer_data (crm) and read untrusted_content (mail, search); mail: send_email is a way out"
}

test_two_of_the_three_are_none if {
	every context in [
		{"data_classes_seen": [], "labels_seen": ["untrusted_content"]},
		{"data_classes_seen": ["internal"], "labels_seen": ["untrusted_content"]},
		{"data_classes_seen": ["customer_data"], "labels_seen": []},
	] {
		not toxic_flows.flow(settings) with input as object.union(sending("eve@outside.example"), {"context": context})
	}
	stays := object.union(sending("eve@outside.example"), {"action": {"destination": {"external": false}}})
	not toxic_flows.flow(settings) with input as stays
}

test_a_leak_needs_no_text_from_outside if {
	quiet := object.union(sending("eve@outside.example"), {"context": {"labels_seen": []}})
	found := toxic_flows.leak(settings) with input as quiet
	found == {"private": {"customer_data": ["crm"]}, "way_out": "mail: send_email"}
	endswith(toxic_flows.told(found), "read nothing from outside; mail: send_email is a way out")
}

test_what_the_call_itself_carries_counts if {
	carrying := object.union(sending("eve@outside.example"), {
		"action": {"data_classes_referenced": ["payment_data"], "labels": ["untrusted_content"]},
		"context": {"data_classes_seen": [], "labels_seen": []},
	})
	found := toxic_flows.flow(settings) with input as carrying
	found.private == {"payment_data": ["this call"]}
	found.untrusted == {"untrusted_content": ["this call"]}
}

test_a_labelled_tool_is_a_way_out_of_a_server_inside if {
	action := {"server": "web", "tool": "fetch", "labels": ["egress"], "destination": {"external": false}}
	found := toxic_flows.flow(settings) with input as object.union(sending("x"), {"action": action})
	found.way_out == "web: fetch"
}

test_mail_inside_and_reading_the_mailbox_are_no_way_out if {
	every to in {"ann@inside.example", "ann@INSIDE.example"} {
		not toxic_flows.flow(settings) with input as sending(to)
	}
	reading := object.union(sending("x"), {"action": {"tool": "list_messages"}})
	not toxic_flows.flow(settings) with input as reading
}

test_an_address_that_is_not_plainly_inside_is_outside if {
	odd := [
		"ann@inside.example.evil.example", "ann@inside.example,eve@outside.example", " ann@inside.example",
		"Ann <ann@inside.example>", "eve@outside.example@inside.example", "@inside.example",
		"ann@\u0456nside.example", ["ann@inside.example"], null, "",
	]
	every to in odd {
		toxic_flows.flow(settings) with input as sending(to)
	}
	without := object.union(sending("x"), {"action": {"args": {"cc": "ann@inside.example"}}})
	toxic_flows.flow(settings) with input as without
}

test_another_action_of_the_same_name_is_not_inside if {
	asking := object.union(sending("ann@inside.example"), {"action": {"type": "elicitation"}})
	toxic_flows.flow(settings) with input as asking
}

test_what_is_not_known_is_the_worse_case if {
	found := toxic_flows.flow(settings) with input as {"action": {"type": "completion"}}
	found.private == {"customer_data": ["unknown"], "payment_data": ["unknown"]}
	found.untrusted == {"untrusted_content": ["unknown"]}
	found.way_out == "unknown: completion"
	nothing := toxic_flows.flow(settings) with input as {}
	nothing.way_out == "unknown: unknown"
	unsourced := object.remove(sending("eve@outside.example"), ["context"])
	seen := {"context": {"data_classes_seen": ["customer_data"], "labels_seen": ["untrusted_content"]}}
	again := toxic_flows.flow(settings) with input as object.union(unsourced, seen)
	again.private == {"customer_data": ["unknown"]}
}

test_prompts_and_resources_are_named if {
	base := object.remove(sending("x"), ["action"])
	prompt := {"type": "prompt_get", "server": "docs", "prompt": "summary", "destination": {"external": true}}
	resource := {"type": "resource_read", "server": "docs", "uri": "https://docs.example/C-17", "destination": {"external": true}}
	first := toxic_flows.flow(settings) with input as object.union(base, {"action": prompt})
	second := toxic_flows.flow(settings) with input as object.union(base, {"action": resource})
	first.way_out == "docs: summary"
	second.way_out == "docs: https://docs.example/C-17"
}

test_a_result_is_not_judged_again if {
	result := object.union(sending("eve@outside.example"), {"phase": "result"})
	not toxic_flows.flow(settings) with input as result
	not toxic_flows.leak(settings) with input as result
}

sending(to) := {
	"phase": "call",
	"action": {
		"type": "tool_call",
		"server": "mail",
		"tool": "send_email",
		"args": {"to": to},
		"data_classes_referenced": ["internal"],
		"labels": [],
		"destination": {"region": null, "external": true},
	},
	"context": {
		"data_classes_seen": ["customer_data", "internal"],
		"labels_seen": ["untrusted_content"],
		"data_class_sources": {"customer_data": ["crm"], "internal": ["mail"]},
		"label_sources": {"untrusted_content": ["mail", "search"]},
		"servers_called": ["crm", "mail", "search"],
	},
}
