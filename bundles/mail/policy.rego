# METADATA
# title: Mail
# description: >-
#   What an agent may do with the mailbox behind the mail server: read it, and send plain messages
#   to one person at a time. Where a message may go once customer data was seen is for the
#   organisation's workflow layer.
# custom:
#   owner: mail-team
package mcp.mail

import data.lib.text

# METADATA
# title: Support reads the mailbox
# description: An agent in a reading scope may list the messages of the mailbox.
# custom:
#   id: mail.list
#   severity: low
#   owner: mail-team
allow contains {"rule": rego.metadata.rule()} if {
	input.action.tool == "list_messages"
	input.agent.scope in data.mcp.mail.settings.scopes.read
}

# METADATA
# title: Support sends mail
# description: An agent in a sending scope may send a message, inside the organisation or outside.
# custom:
#   id: mail.send
#   severity: medium
#   owner: mail-team
allow contains {"rule": rego.metadata.rule()} if {
	input.action.tool == "send_email"
	input.agent.scope in data.mcp.mail.settings.scopes.send
}

# METADATA
# title: One plain recipient
# description: >-
#   A message has one recipient, written as a plain address such as ann@inside.example. A list, a
#   display name, blanks, quotes, a second @ or letters beyond ASCII are refused, because two
#   programs may read them as two different addresses.
# custom:
#   id: mail.recipient_malformed
#   code: recipient_malformed
#   severity: high
#   remediation: use_one_plain_address
#   alternatives: [mail__send_email]
#   disclose: text
#   owner: mail-team
deny contains {"rule": rego.metadata.rule(), "details": {"argument": "to"}} if {
	input.action.tool == "send_email"
	not text.is_plain_address(object.get(arguments, "to", null))
}

# METADATA
# title: A subject is one line
# description: >-
#   The subject is text without line breaks or other control characters. A line break would start a
#   mail header of the sender's choice, a hidden recipient among them.
# custom:
#   id: mail.header_injection
#   code: header_injection
#   severity: high
#   remediation: write_the_subject_on_one_line
#   alternatives: [mail__send_email]
#   disclose: text
#   owner: mail-team
deny contains {"rule": rego.metadata.rule(), "details": {"argument": "subject"}} if {
	input.action.tool == "send_email"
	not text.is_one_line(object.get(arguments, "subject", null), 250)
}

# METADATA
# title: A body is a letter
# description: >-
#   The body is text of at most 20,000 characters. More is a transfer of data and has its own ways.
# custom:
#   id: mail.body_malformed
#   code: body_malformed
#   severity: medium
#   remediation: shorten_the_message
#   appeal: https://tickets.example.com/new?form=file-transfer
#   alternatives: [mail__send_email]
#   overridable: true
#   disclose: text
#   owner: mail-team
deny contains {"rule": rego.metadata.rule(), "details": {"longest_body": longest}} if {
	input.action.tool == "send_email"
	longest := data.mcp.mail.settings.longest_body
	not text.is_at_most(object.get(arguments, "body", null), longest)
}

# METADATA
# title: No further mail arguments
# description: >-
#   A message has a recipient, a subject and a body. Any other argument, such as cc or bcc, could
#   name a recipient that no rule has looked at.
# custom:
#   id: mail.unknown_argument
#   code: unknown_argument
#   severity: high
#   remediation: send_only_to_subject_and_body
#   alternatives: [mail__send_email]
#   disclose: text
#   owner: mail-team
deny contains {"rule": rego.metadata.rule(), "details": {"arguments": unknown}} if {
	input.action.tool == "send_email"
	unknown := {name | some name, _ in arguments} - {"to", "subject", "body"}
	count(unknown) > 0
}

# METADATA
# title: Mail is internal data
# description: Messages of the mailbox belong to the organisation, whoever wrote them.
# custom:
#   id: mail.internal
data_classes contains "internal" if input.action.tool in {"list_messages", "send_email"}

# METADATA
# title: Messages are text from outside
# description: Anybody may have written what the mailbox holds, an instruction to the agent included.
# custom:
#   id: mail.untrusted_content
labels contains "untrusted_content" if input.action.tool == "list_messages"

# METADATA
# title: Arguments by name
# description: >-
#   The arguments of the call, or none where they are not an object. A rule reads them with a
#   default, because `not f(input.missing)` is undefined in Rego and would refuse nothing.
arguments := input.action.args if {
	is_object(input.action.args)
} else := {}
