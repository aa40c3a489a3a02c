package org.models.policy_test

import data.org.models

test_customer_data_goes_to_agreed_models_in_agreed_regions if {
	every model in {"in-house-7b", "vendor-eu-2"} {
		every region in {"eu-west", "eu-central"} {
			count(models.deny) == 0 with input as call("customer_data", model, region)
		}
	}
}

test_another_model_gets_no_customer_data if {
	every model in {"vendor-us-9", "in-house", "", null} {
		codes(models.deny) == {"model_not_agreed"} with input as call("customer_data", model, "eu-west")
	}
}

test_no_customer_data_leaves_for_another_region if {
	every region in {"us-east", "eu", "", null} {
		codes(models.deny) == {"region_not_agreed"} with input as call("customer_data", "in-house-7b", region)
	}
}

test_what_nobody_has_agreed_on_is_refused if {
	full := call("customer_data", "in-house-7b", "eu-west")
	codes(models.deny) == {"model_not_agreed"} with input as object.remove(full, ["agent"])
	action := object.remove(full.action, ["destination"])
	unplaced := object.union(object.remove(full, ["action"]), {"action": action})
	codes(models.deny) == {"region_not_agreed"} with input as unplaced
}

test_other_data_goes_anywhere if {
	count(models.deny) == 0 with input as call("public", "vendor-us-9", "us-east")
}

codes(elements) := {element.rule.custom.code | some element in elements}

call(class, model, region) := {
	"version": 1,
	"phase": "call",
	"agent": {"id": "support-bot", "model": model},
	"action": {
		"type": "tool_call",
		"server": "crm",
		"tool": "get_customer",
		"args": {"id": "C-17"},
		"data_classes_referenced": [class],
		"destination": {"region": region, "external": false},
	},
}
