# METADATA
# title: How work is done
# description: >-
#   Rules about the order of steps in a conversation: what may follow what, and where a person has
#   to agree first.
# custom:
#   owner: cx-operations
package org.workflow

# METADATA
# title: Customer data stays inside
# description: >-
#   Once a conversation has seen customer data, it sends mail to addresses of the organisation only.
#   Data that nobody has classified counts as customer data, and an address that is not plainly one
#   of the organisation's counts as outside.
# custom:
#   id: workflow.customer_data_egress
#   code: customer_data_egress
#   severity: critical
#   remediation: send_to_an_internal_address
#   appeal: https://tickets.example.com/new?form=customer-data-release
#   alternatives: [mail__send_email]
#   overridable: true
#   disclose: text
#   audit: true
#   owner: data-protection
deny contains {"rule": rego.metadata.rule(), "details": {"data_classes": confined}} if {
	some mail in data.org.workflow.settings.mail_tools
	is_call_of(mail)
	not is_internal(object.get(arguments, mail.recipient, null))
	not carries_no_confined
}

# METADATA
# title: A person agrees to a deletion
# description: A deleted customer record does not come back, so a lead of the CX team agrees first.
# custom:
#   id: workflow.delete_needs_person
#   code: deletion_needs_approval
#   severity: high
#   remediation: wait_for_approval
#   appeal: https://tickets.example.com/new?form=customer-deletion
#   alternatives: [crm__update_customer]
#   disclose: text
#   audit: true
#   owner: cx-operations
require_approval contains {
	"rule": rego.metadata.rule(),
	"approvers": data.org.workflow.settings.approvers,
	"channels": data.org.workflow.settings.approval_channels,
	"ttl_seconds": data.org.workflow.settings.approval_ttl_seconds,
} if {
	some deletion in data.org.workflow.settings.deletions
	is_call_of(deletion)
}

# METADATA
# title: A person agrees to new contact details
# description: >-
#   Whoever holds the e-mail address or telephone number of a customer can take over the account.
#   A lead of the CX team agrees before an agent changes either.
# custom:
#   id: workflow.contact_change_needs_person
#   code: contact_change_needs_approval
#   severity: high
#   remediation: wait_for_approval
#   appeal: https://tickets.example.com/new?form=contact-change
#   disclose: text
#   audit: true
#   owner: cx-operations
require_approval contains {
	"rule": rego.metadata.rule(),
	"details": {"fields": changed},
	"approvers": data.org.workflow.settings.approvers,
	"channels": data.org.workflow.settings.approval_channels,
	"ttl_seconds": data.org.workflow.settings.approval_ttl_seconds,
} if {
	some change in data.org.workflow.settings.contact_changes
	is_call_of(change)
	changed := {field | some field, _ in arguments; field in change.fields}
	count(changed) > 0
}

# METADATA
# title: Mail leaves after text from outside was read
# description: >-
#   The conversation has read text that anybody may have written, and now sends mail outside. That
#   is allowed while no customer data is in it, and recorded, because it is how an instruction
#   hidden in a message would show.
# custom:
#   id: workflow.mail_after_outside_text
#   code: mail_after_outside_text
#   severity: medium
#   owner: security-operations
warn contains {"rule": rego.metadata.rule()} if {
	some mail in data.org.workflow.settings.mail_tools
	is_call_of(mail)
	not is_internal(object.get(arguments, mail.recipient, null))
	"untrusted_content" in input.context.labels_seen
}

# METADATA
# title: Arguments by name
# description: >-
#   The arguments of the call, or none where they are not an object. A rule reads them with a
#   default, because `not f(input.missing)` is undefined in Rego and would refuse nothing.
arguments := input.action.args if {
	is_object(input.action.args)
} else := {}

# METADATA
# title: A call of this tool
# description: >-
#   The action is a call of the server and tool that the entry names. A result is not judged again:
#   what was sent has been sent.
is_call_of(entry) if {
	input.action.server == entry.server
	input.action.tool == entry.tool
	not input.phase == "result"
}

# METADATA
# title: Nothing confined is known to be in play
# description: >-
#   The conversation and this call are both labelled, and with no class that has to stay inside. A
#   conversation without labels is not clean, it is unknown.
carries_no_confined if {
	is_array(input.context.data_classes_seen)
	is_array(input.action.data_classes_referenced)
	count(confined) == 0
}

# METADATA
# title: Confined classes in play
# description: Classes that have to stay inside and were seen in the conversation or are in this call.
confined contains name if {
	some name in input.context.data_classes_seen
	name in data.org.workflow.settings.confined_classes
}

# METADATA
# title: Confined classes in this call
# description: The same for what the call itself refers to.
confined contains name if {
	some name in input.action.data_classes_referenced
	name in data.org.workflow.settings.confined_classes
}

# METADATA
# title: An address of the organisation
# description: >-
#   One plain ASCII address whose host name, in any case, is one of the organisation's. Blanks,
#   lists, display names and a second @ are not plain, hence not internal.
is_internal(address) if {
	is_string(address)
	trim(address, plain_characters) == ""
	[local, host] := split(address, "@")
	local != ""
	lower(host) in data.org.workflow.settings.internal_domains
}

# METADATA
# title: Characters of a plain address
# description: ASCII only, so that a look-alike letter cannot fold into one of the organisation's.
plain_characters := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-@"
