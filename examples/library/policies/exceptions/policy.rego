# METADATA
# title: Exceptions
# description: Single denials that somebody answers for, with a ticket and an end.
# custom:
#   owner: security-operations
package org.exceptions

# METADATA
# title: A granted exception
# description: Lifts the denial of one rule for one agent, until its end.
# custom:
#   id: exceptions.granted
#   severity: high
#   audit: true
#   owner: security-operations
waive contains object.remove(exception, ["agent"]) if {
	some exception in data.org.exceptions.settings.granted
	exception.agent == input.agent.id
}
