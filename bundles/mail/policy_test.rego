package mcp.mail.policy_test

import data.mcp.mail

test_the_mailbox_is_open_to_a_reading_scope if {
	rules(mail.allow) == {"mail.list"} with input as call("list_messages", {})
	count(mail.deny) == 0 with input as call("list_messages", {})
	rules(mail.allow) == {"mail.list"} with input as scoped("customer_success", "list_messages", {})
}

test_sending_is_granted_to_a_sending_scope if {
	rules(mail.allow) == {"mail.send"} with input as letter({})
	count(mail.deny) == 0 with input as letter({})
}

test_another_scope_is_granted_nothing if {
	count(mail.allow) == 0 with input as scoped("marketing", "list_messages", {})
	count(mail.allow) == 0 with input as scoped("customer_success", "send_email", {})
	count(mail.allow) == 0 with input as scoped(null, "send_email", {})
}

test_an_unknown_tool_or_no_input_is_granted_nothing if {
	count(mail.allow) == 0 with input as call("delete_mailbox", {})
	count(mail.allow) == 0 with input as {}
}

test_plain_addresses_pass_inside_and_outside if {
	plain := {
		"ann@inside.example", "partner@outside.example", "Bob@Outside.Example",
		"a.b+c_d-e@mail-1.outside.example", "7@x.example",
	}
	every address in plain {
		count(mail.deny) == 0 with input as letter({"to": address})
	}
}

test_whatever_two_programs_may_read_differently_is_refused if {
	odd := {
		"", " ", "bob", "@", "@inside.example", "bob@", "bob@localhost", "bob@.example", "bob@example.",
		"Bob@Outside.Example ", " bob@outside.example", "bob @outside.example", "bob@outside.example\n",
		"a@inside.example,b@outside.example", "a@inside.example;b@outside.example",
		"a@inside.example b@outside.example", "x@inside.example@outside.example",
		"<a@outside.example>", "Ann <a@inside.example>", "\"a@inside.example\"@outside.example",
		"a@inside.example(comment)", "a%outside.example@inside.example", "a!b@inside.example",
		"-f@inside.example", ".a@inside.example", "a@-inside.example", "a@inside-.example",
		"a@inside..example", "a@[127.0.0.1]", "a@inside_.example", "a@ins\u0131de.example",
		"a@\u212Aelvin.example", "a@inside\u3002example", "a\u0000@inside.example",
		"a@inside.example\r\nBcc: b@outside.example",
	}
	every address in odd {
		rules(mail.deny) == {"mail.recipient_malformed"} with input as letter({"to": address})
	}
}

test_an_address_of_254_characters_passes_and_a_longer_one_does_not if {
	fits := concat("", [repeated("a", 239), "@inside.example"])
	count(mail.deny) == 0 with input as letter({"to": fits})
	refused := mail.deny with input as letter({"to": concat("", ["a", fits])})
	rules(refused) == {"mail.recipient_malformed"}
}

test_a_recipient_that_is_no_text_is_refused if {
	every address in {["ann@inside.example"], {"to": "ann@inside.example"}, 17, true, null} {
		rules(mail.deny) == {"mail.recipient_malformed"} with input as letter({"to": address})
	}
}

test_a_subject_on_one_line_passes if {
	every subject in {"", "Your order", "Gr\u00fc\u00dfe, \u4f60\u597d", "a: b"} {
		count(mail.deny) == 0 with input as letter({"subject": subject})
	}
}

test_a_subject_with_control_characters_is_refused if {
	breaks := {
		"Hello\nBcc: b@outside.example", "Hello\r\nBcc: b@outside.example", "\n", "a\rb", "a\u0000b",
		"a\tb", "a\u001bb", "a\u007fb", "a\u0085b", "a\u2028b", "a\u2029b",
	}
	every subject in breaks {
		rules(mail.deny) == {"mail.header_injection"} with input as letter({"subject": subject})
	}
}

test_a_subject_that_is_long_or_no_text_is_refused if {
	count(mail.deny) == 0 with input as letter({"subject": repeated("a", 250)})
	long := repeated("a", 251)
	every subject in {long, ["Hello"], {"text": "Hello"}, 1, null} {
		rules(mail.deny) == {"mail.header_injection"} with input as letter({"subject": subject})
	}
}

test_a_body_may_have_lines if {
	count(mail.deny) == 0 with input as letter({"body": "Dear Ann,\r\n\r\n\tthank you.\n"})
}

test_a_body_up_to_the_limit_passes_and_a_longer_one_does_not if {
	count(mail.deny) == 0 with input as letter({"body": "12345"})
		with data.mcp.mail.settings.longest_body as 5
	refused := mail.deny with input as letter({"body": "123456"})
		with data.mcp.mail.settings.longest_body as 5
	rules(refused) == {"mail.body_malformed"}
}

test_a_body_that_is_no_text_is_refused if {
	every body in {["text"], {"text": "text"}, 1, false, null} {
		rules(mail.deny) == {"mail.body_malformed"} with input as letter({"body": body})
	}
}

test_further_arguments_are_refused_by_name if {
	every name in {"cc", "bcc", "To", "reply_to", "attachments"} {
		some denial in mail.deny with input as letter({name: "b@outside.example"})
		denial.rule.custom.code == "unknown_argument"
		denial.details.arguments == {name}
	}
}

test_a_message_without_arguments_is_refused_whole if {
	refused := mail.deny with input as call("send_email", {})
	rules(refused) == {"mail.recipient_malformed", "mail.header_injection", "mail.body_malformed"}
	without := mail.deny with input as {"action": {"tool": "send_email"}}
	rules(without) == rules(refused)
}

test_arguments_that_are_no_object_are_refused_whole if {
	every args in {"ann@inside.example", ["ann@inside.example"], 17, null} {
		refused := mail.deny with input as call("send_email", args)
		rules(refused) == {"mail.recipient_malformed", "mail.header_injection", "mail.body_malformed"}
	}
}

test_the_rules_of_a_message_are_for_messages_only if {
	count(mail.deny) == 0 with input as call("list_messages", {"bcc": 1, "to": 1, "subject": 1})
}

test_mail_is_internal_data if {
	mail.data_classes == {"internal"} with input as letter({})
	mail.data_classes == {"internal"} with input as call("list_messages", {})
	count(mail.data_classes) == 0 with input as call("other", {})
}

test_the_mailbox_brings_text_from_outside if {
	mail.labels == {"untrusted_content"} with input as call("list_messages", {})
	count(mail.labels) == 0 with input as letter({})
}

test_every_denial_says_what_to_do if {
	refused := mail.deny with input as call("send_email", {"cc": 1})
	count(refused) == 4
	every denial in refused {
		denial.rule.title != ""
		denial.rule.description != ""
		denial.rule.custom.remediation != ""
	}
}

rules(elements) := {element.rule.custom.id | some element in elements}

repeated(text, times) := concat("", [text | some n in numbers.range(1, times); n > 0])

letter(changed) := call("send_email", object.union(
	{"to": "ann@inside.example", "subject": "Hello", "body": "Hello Ann."},
	changed,
))

call(tool, args) := scoped("customer_support", tool, args)

scoped(scope, tool, args) := {
	"version": 1,
	"phase": "call",
	"agent": {"id": "support-bot", "scope": scope},
	"action": {"type": "tool_call", "server": "mail", "tool": tool, "args": args},
}
