package org.workflow.policy_test

import data.org.workflow

test_mail_goes_outside_while_no_customer_data_was_seen if {
	count(workflow.deny) == 0 with input as mail_to("partner@outside.example", [])
	count(workflow.deny) == 0 with input as mail_to("partner@outside.example", ["public", "internal"])
}

test_mail_stays_inside_once_customer_data_was_seen if {
	every seen in {"customer_data", "bulk_customer_data", "unclassified"} {
		some denial in workflow.deny with input as mail_to("partner@outside.example", ["internal", seen])
		denial.rule.custom.id == "workflow.customer_data_egress"
		denial.rule.custom.code == "customer_data_egress"
		denial.details.data_classes == {seen}
	}
}

test_mail_that_itself_refers_to_customer_data_stays_inside if {
	action := {"data_classes_referenced": ["internal", "customer_data"]}
	sent := object.union(mail_to("partner@outside.example", []), {"action": action})
	rules(workflow.deny) == {"workflow.customer_data_egress"} with input as sent
}

test_mail_inside_passes_after_customer_data_was_seen if {
	every address in {"ann@inside.example", "Ann@Inside.Example", "a.b+c@support.inside.example"} {
		count(workflow.deny) == 0 with input as mail_to(address, ["customer_data"])
	}
}

test_no_spelling_makes_an_outside_address_an_inside_one if {
	outside := {
		"Bob@Outside.Example ", "bob@outside.example", "a@inside.example,b@outside.example",
		"a@inside.example;b@outside.example", "x@inside.example@outside.example",
		"x@outside.example@inside.example", "<a@inside.example>", "Ann <a@inside.example>",
		" ann@inside.example", "ann@inside.example ", "ann@inside.example\n", "ann@inside.example.",
		"ann@inside.example.outside.example", "ann@notinside.example", "ann@mail.inside.example",
		"@inside.example", "inside.example", "ann", "", "ann@ins\u0131de.example", "ann@\u0130nside.example",
		"ann@inside\u3002example", "\"ann@inside.example\"@outside.example", "ann%inside.example@outside.example",
	}
	every address in outside {
		refused := workflow.deny with input as mail_to(address, ["customer_data"])
		rules(refused) == {"workflow.customer_data_egress"}
	}
}

test_a_letter_that_folds_into_ascii_is_not_inside if {
	refused := workflow.deny with input as mail_to("ann@\u212Aelvin.example", ["customer_data"])
		with data.org.workflow.settings.internal_domains as ["kelvin.example"]
	rules(refused) == {"workflow.customer_data_egress"}
	count(workflow.deny) == 0 with input as mail_to("ann@Kelvin.example", ["customer_data"])
		with data.org.workflow.settings.internal_domains as ["kelvin.example"]
}

test_a_recipient_that_is_no_text_counts_as_outside if {
	every address in {["ann@inside.example"], {"to": "ann@inside.example"}, 17, true, null} {
		refused := workflow.deny with input as mail_to(address, ["customer_data"])
		rules(refused) == {"workflow.customer_data_egress"}
	}
}

test_a_missing_recipient_counts_as_outside if {
	sent := mail_to("ann@inside.example", ["customer_data"])
	every args in [{}, {"TO": "ann@inside.example"}, [], "ann@inside.example", null] {
		action := object.union(object.remove(sent.action, ["args"]), {"args": args})
		refused := workflow.deny with input as object.union(object.remove(sent, ["action"]), {"action": action})
		rules(refused) == {"workflow.customer_data_egress"}
	}
}

test_an_unlabelled_conversation_or_call_is_not_clean if {
	sent := mail_to("partner@outside.example", [])
	every broken in [
		object.remove(sent, ["context"]),
		object.union(sent, {"context": {"data_classes_seen": null}}),
		object.union(sent, {"context": {"data_classes_seen": "internal"}}),
		object.union(sent, {"action": {"data_classes_referenced": null}}),
	] {
		refused := workflow.deny with input as broken
		rules(refused) == {"workflow.customer_data_egress"}
	}
}

test_the_result_of_a_mail_that_left_is_not_judged_again if {
	sent := mail_to("partner@outside.example", ["customer_data"])
	count(workflow.deny) == 0 with input as object.union(sent, {"phase": "result"})
	refused := workflow.deny with input as object.remove(sent, ["phase"])
	rules(refused) == {"workflow.customer_data_egress"}
}

test_only_listed_tools_send_mail if {
	seen := {"context": {"data_classes_seen": ["customer_data"], "labels_seen": []}}
	other := object.union(call("mail", "list_messages", {}), seen)
	count(workflow.deny) == 0 with input as other
	namesake := object.union(call("post", "send_email", {"to": "partner@outside.example"}), seen)
	count(workflow.deny) == 0 with input as namesake
}

test_a_deletion_is_held_for_a_lead if {
	some held in workflow.require_approval with input as call("crm", "delete_customer", {"id": "C-17"})
	held.rule.custom.id == "workflow.delete_needs_person"
	held.approvers == ["group:cx-leads"]
	held.ttl_seconds == 900
	held.channels == ["console"]
}

test_other_tools_and_servers_are_not_held if {
	every tool in {"get_customer", "search_customers", "export_customers"} {
		count(workflow.require_approval) == 0 with input as call("crm", tool, {"id": "C-17"})
	}
	count(workflow.require_approval) == 0 with input as call("archive", "delete_customer", {})
	count(workflow.require_approval) == 0 with input as mail_to("ann@inside.example", [])
}

test_a_new_email_or_telephone_number_is_held if {
	every field in {"email", "phone"} {
		args := {"id": "C-17", "notes": "moved", field: "x"}
		some held in workflow.require_approval with input as call("crm", "update_customer", args)
		held.rule.custom.id == "workflow.contact_change_needs_person"
		held.details.fields == {field}
		held.approvers == ["group:cx-leads"]
	}
}

test_an_update_of_other_fields_is_not_held if {
	args := {"id": "C-17", "notes": "called", "company": "Fjord"}
	count(workflow.require_approval) == 0 with input as call("crm", "update_customer", args)
	count(workflow.require_approval) == 0 with input as call("crm", "get_customer", {"email": "x"})
	count(workflow.require_approval) == 0 with input as call("crm", "update_customer", "email")
}

test_an_emptied_contact_field_is_held_too if {
	every value in [null, "", false, []] {
		held := workflow.require_approval with input as call("crm", "update_customer", {"id": "C-17", "email": value})
		rules(held) == {"workflow.contact_change_needs_person"}
	}
}

test_mail_outside_after_text_from_outside_is_noted if {
	read := {"context": {"labels_seen": ["untrusted_content"]}}
	outside := object.union(mail_to("partner@outside.example", []), read)
	rules(workflow.warn) == {"workflow.mail_after_outside_text"} with input as outside
	count(workflow.deny) == 0 with input as outside
	count(workflow.require_approval) == 0 with input as outside
}

test_nothing_is_noted_inside_or_before_text_from_outside if {
	read := {"context": {"labels_seen": ["untrusted_content"]}}
	count(workflow.warn) == 0 with input as object.union(mail_to("ann@inside.example", []), read)
	count(workflow.warn) == 0 with input as mail_to("partner@outside.example", [])
	count(workflow.warn) == 0 with input as object.union(call("mail", "list_messages", {}), read)
}

test_an_empty_input_matches_nothing if {
	count(workflow.deny) == 0 with input as {}
	count(workflow.require_approval) == 0 with input as {}
	count(workflow.warn) == 0 with input as {}
}

rules(elements) := {element.rule.custom.id | some element in elements}

mail_to(address, seen) := object.union(
	call("mail", "send_email", {"to": address, "subject": "Hello", "body": "Hello."}),
	{
		"action": {"data_classes_referenced": ["internal"]},
		"context": {"data_classes_seen": seen, "labels_seen": []},
	},
)

call(server, tool, args) := {
	"version": 1,
	"phase": "call",
	"agent": {"id": "support-bot", "scope": "customer_support"},
	"action": {
		"type": "tool_call",
		"server": server,
		"tool": tool,
		"args": args,
		"data_classes_referenced": ["customer_data"],
	},
	"context": {"data_classes_seen": [], "labels_seen": []},
}
