package org.compliance.policy_test

import data.org.compliance

test_authorised_classes_pass if {
	count(compliance.deny) == 0 with input as call(["customer_data"])
	count(compliance.deny) == 0 with input as call(["internal"])
	count(compliance.deny) == 0 with input as call(["public", "internal", "customer_data"])
}

test_the_export_is_refused_with_everything_an_agent_needs if {
	some denial in compliance.deny with input as call(["customer_data", "bulk_customer_data"])
	denial.details.data_classes == {"bulk_customer_data"}
	denial.rule.custom.id == "compliance.user_data_access"
	denial.rule.custom.code == "data_class_unauthorized_for_user"
	denial.rule.custom.remediation == "request_elevated_data_access"
	denial.rule.custom.alternatives == ["crm__get_customer", "crm__search_customers"]
	startswith(denial.rule.custom.appeal, "https://")
	denial.rule.custom.overridable == false
}

test_one_unauthorised_class_among_others_is_enough if {
	rules(compliance.deny) == {"compliance.user_data_access"} with input as call(["internal", "payroll"])
}

test_classes_are_compared_exactly if {
	every name in {"Internal", "internal ", "customer", "*"} {
		rules(compliance.deny) == {"compliance.user_data_access"} with input as call([name])
	}
}

test_data_that_nobody_has_classified_is_refused if {
	every classes in [["unclassified"], [], null, "customer_data", {"customer_data": true}] {
		rules(compliance.deny) == {"compliance.user_data_access"} with input as call(classes)
	}
	action := object.remove(call([]).action, ["data_classes_referenced"])
	without := object.union(object.remove(call([]), ["action"]), {"action": action})
	rules(compliance.deny) == {"compliance.user_data_access"} with input as without
}

test_a_user_authorised_for_unclassified_data_may_have_it if {
	allowed := {"user": {"data_classifications_authorized": ["unclassified"]}}
	count(compliance.deny) == 0 with input as object.union(call(["unclassified"]), allowed)
}

test_an_unknown_user_sees_nothing if {
	known := call(["internal"])
	every input_ in [
		object.remove(known, ["user"]),
		object.union(known, {"user": {"data_classifications_authorized": []}}),
		object.union(known, {"user": {"data_classifications_authorized": null}}),
		object.union(known, {"user": {"data_classifications_authorized": "internal"}}),
	] {
		rules(compliance.deny) == {"compliance.user_data_access"} with input as input_
	}
}

test_customer_data_stays_in_its_regions if {
	every region in {"us-east", "us-west"} {
		count(compliance.deny) == 0 with input as processed_in(region, true)
	}
	every region in {"eu-west", "US-EAST", "us-east ", ""} {
		some denial in compliance.deny with input as processed_in(region, false)
		denial.rule.custom.id == "compliance.data_residency"
		denial.details.data_classes == {"customer_data"}
	}
}

test_a_server_beside_the_gateway_is_in_its_region if {
	count(compliance.deny) == 0 with input as processed_in(null, false)
	elsewhere := object.union(processed_in(null, false), {"environment": {"region": "eu-west"}})
	rules(compliance.deny) == {"compliance.data_residency"} with input as elsewhere
}

test_an_unknown_region_is_no_allowed_region if {
	rules(compliance.deny) == {"compliance.data_residency"} with input as processed_in(null, true)
	rules(compliance.deny) == {"compliance.data_residency"} with input as processed_in(17, true)
	nowhere := object.union(processed_in(null, false), {"environment": {"region": null}})
	rules(compliance.deny) == {"compliance.data_residency"} with input as nowhere
	known := processed_in(null, false)
	without := object.union(
		object.remove(known, ["action"]),
		{"action": object.remove(known.action, ["destination"])},
	)
	rules(compliance.deny) == {"compliance.data_residency"} with input as without
}

test_each_class_has_its_own_regions if {
	bulk := object.union(processed_in("us-west", false), {
		"action": {"data_classes_referenced": ["bulk_customer_data"]},
		"user": {"data_classifications_authorized": ["bulk_customer_data"]},
	})
	rules(compliance.deny) == {"compliance.data_residency"} with input as bulk
}

test_classes_without_a_list_of_regions_go_anywhere if {
	anywhere := object.union(processed_in("eu-west", true), {"action": {"data_classes_referenced": ["internal"]}})
	count(compliance.deny) == 0 with input as anywhere
}

test_private_data_and_text_from_outside_do_not_leave_together if {
	some denial in compliance.deny with input as flowing("eve@outside.example")
	denial.rule.custom.id == "compliance.toxic_flow"
	denial.rule.custom.overridable == false
	denial.details.private == {"customer_data": ["crm"]}
	denial.details.untrusted == {"untrusted_content": ["mail"]}
	denial.details.way_out == "mail: send_email"
	startswith(denial.msg, "The conversation has seen customer_data (crm)")
}

test_mail_inside_may_follow_anything if {
	count(compliance.deny) == 0 with input as flowing("ann@inside.example")
}

test_without_text_from_outside_it_is_for_the_workflow_layer if {
	quiet := object.union(flowing("eve@outside.example"), {"context": {"labels_seen": []}})
	count(compliance.deny) == 0 with input as quiet
}

test_an_empty_input_is_refused if {
	rules(compliance.deny) == {
		"compliance.data_residency",
		"compliance.toxic_flow",
		"compliance.user_data_access",
	} with input as {}
}

rules(elements) := {element.rule.custom.id | some element in elements}

processed_in(region, external) := object.union(
	call(["customer_data"]),
	{"action": {"destination": {"region": region, "external": external}}},
)

flowing(to) := object.union(call(["internal"]), {
	"action": {
		"server": "mail",
		"tool": "send_email",
		"args": {"to": to},
		"destination": {"region": null, "external": true},
	},
	"context": {
		"data_classes_seen": ["customer_data"],
		"labels_seen": ["untrusted_content"],
		"data_class_sources": {"customer_data": ["crm"]},
		"label_sources": {"untrusted_content": ["mail"]},
	},
})

call(classes) := {
	"version": 1,
	"phase": "call",
	"user": {"id": "alice", "data_classifications_authorized": ["public", "internal", "customer_data"]},
	"action": {
		"type": "tool_call",
		"server": "crm",
		"tool": "get_customer",
		"args": {"id": "C-17"},
		"data_classes_referenced": classes,
		"destination": {"region": null, "external": false},
	},
	"context": {"data_classes_seen": [], "labels_seen": []},
	"environment": {"region": "us-east", "time": "2026-11-22T13:45:00Z", "is_production": true},
}
