package mcp.crm.policy_test

import data.mcp.crm

test_reading_is_granted_to_a_reading_scope if {
	rules(crm.allow) == {"crm.read"} with input as call("get_customer", {"id": "C-17"})
	rules(crm.allow) == {"crm.read"} with input as call("search_customers", {"query": "ada"})
}

test_a_reading_scope_that_does_not_write_reads if {
	granted := crm.allow with input as scoped("customer_success", "get_customer", {"id": "C-17"})
	rules(granted) == {"crm.read"}
}

test_reading_is_not_granted_to_another_scope if {
	count(crm.allow) == 0 with input as scoped("marketing", "get_customer", {"id": "C-17"})
	count(crm.allow) == 0 with input as scoped(null, "search_customers", {"query": "ada"})
}

test_a_reading_scope_alone_does_not_write_or_export if {
	every tool in {"update_customer", "delete_customer", "export_customers"} {
		count(crm.allow) == 0 with input as scoped("customer_success", tool, {"id": "C-17"})
	}
}

test_changing_is_granted_to_a_writing_scope if {
	granted := crm.allow with input as call("update_customer", {"id": "C-17", "notes": "called"})
	rules(granted) == {"crm.update"}
}

test_deleting_is_granted_to_a_writing_scope if {
	rules(crm.allow) == {"crm.delete"} with input as call("delete_customer", {"id": "C-17"})
}

test_exporting_is_granted_to_an_exporting_scope if {
	rules(crm.allow) == {"crm.export"} with input as call("export_customers", {})
	granted := crm.allow with input as scoped("data_operations", "export_customers", {})
	rules(granted) == {"crm.export"}
}

test_an_unknown_tool_is_not_granted if {
	count(crm.allow) == 0 with input as call("drop_table", {})
	count(crm.allow) == 0 with input as call("GET_CUSTOMER", {"id": "C-17"})
}

test_an_empty_input_grants_nothing if {
	count(crm.allow) == 0 with input as {}
}

test_one_customer_id_passes if {
	every tool in {"get_customer", "delete_customer", "update_customer"} {
		every id in {"C-1", "C-17", "C-0123456789"} {
			count(crm.deny) == 0 with input as call(tool, {"id": id})
		}
	}
}

test_anything_else_is_no_customer_id if {
	wrong := {
		"", "C-", "c-17", "C-17 ", " C-17", "C-*", "C-17,C-18", "C-17\n", "../C-17", "C--17", "C-1.7",
		"C-01234567890", "C-\u0661\u0667", 17, null, true, ["C-17"], {"id": "C-17"},
	}
	every tool in {"get_customer", "delete_customer", "update_customer"} {
		every id in wrong {
			rules(crm.deny) == {"crm.customer_id"} with input as call(tool, {"id": id})
		}
	}
}

test_a_missing_id_is_refused if {
	rules(crm.deny) == {"crm.customer_id"} with input as call("get_customer", {})
	rules(crm.deny) == {"crm.customer_id"} with input as call("get_customer", {"ID": "C-17"})
	rules(crm.deny) == {"crm.customer_id"} with input as {"action": {"tool": "get_customer"}}
}

test_tools_without_an_id_need_none if {
	count(crm.deny) == 0 with input as call("export_customers", {})
	count(crm.deny) == 0 with input as call("search_customers", {"query": "ada"})
}

test_a_search_that_names_somebody_passes if {
	every query in {"ada", "Ada Lindqvist", "North*", " fjord "} {
		count(crm.deny) == 0 with input as call("search_customers", {"query": query})
	}
}

test_a_search_that_names_nobody_is_refused if {
	every query in {"", "ad", "***", "  a  ", "%", "a_____", "....", 123, null, ["ada"], {"any": "ada"}} {
		refused := crm.deny with input as call("search_customers", {"query": query})
		rules(refused) == {"crm.search_too_broad"}
	}
	rules(crm.deny) == {"crm.search_too_broad"} with input as call("search_customers", {})
}

test_open_fields_may_be_changed if {
	fields := {"id": "C-17", "name": "A", "company": "B", "email": "c@d.example", "phone": "1", "notes": "e"}
	count(crm.deny) == 0 with input as call("update_customer", fields)
}

test_a_closed_or_unlisted_field_is_refused_by_name if {
	every field in {"credit_limit", "status", "Email", "__proto__", ""} {
		args := {"id": "C-17", "notes": "e", field: 1}
		some denial in crm.deny with input as call("update_customer", args)
		denial.rule.custom.code == "field_not_editable"
		denial.details.fields == {field}
	}
}

test_closed_fields_are_a_matter_of_updates_only if {
	refused := crm.deny with input as call("get_customer", {"id": "C-17", "credit_limit": 1})
	count(refused) == 0
}

test_arguments_that_are_no_object_are_refused if {
	every args in {"C-17", ["C-17"], 17, null} {
		rules(crm.deny) == {"crm.customer_id"} with input as call("update_customer", args)
	}
}

test_every_tool_touches_customer_data if {
	every tool in {"get_customer", "search_customers", "update_customer", "delete_customer"} {
		crm.data_classes == {"customer_data"} with input as call(tool, {})
	}
	count(crm.data_classes) == 0 with input as call("other", {})
}

test_records_are_the_organisations_own_text if {
	every tool in {"get_customer", "search_customers", "export_customers"} {
		crm.labels == {"first_party"} with input as call(tool, {})
	}
	count(crm.labels) == 0 with input as call("other", {})
}

test_the_export_is_bulk_data_too if {
	classes := crm.data_classes with input as call("export_customers", {})
	classes == {"customer_data", "bulk_customer_data"}
}

test_every_denial_says_what_to_do if {
	refused := crm.deny with input as call("update_customer", {"id": 17, "status": "gold"})
	count(refused) == 2
	every denial in refused {
		denial.rule.title != ""
		denial.rule.description != ""
		denial.rule.custom.remediation != ""
	}
}

rules(elements) := {element.rule.custom.id | some element in elements}

call(tool, args) := scoped("customer_support", tool, args)

scoped(scope, tool, args) := {
	"version": 1,
	"phase": "call",
	"agent": {"id": "support-bot", "scope": scope},
	"action": {"type": "tool_call", "server": "crm", "tool": tool, "args": args},
}
