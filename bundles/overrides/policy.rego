# METADATA
# title: Exceptions and stops
# description: >-
#   The last layer. It lifts single denials where somebody answers for it with a reason, a ticket
#   and an end, and it stops a server or a tool at once when something is wrong.
# custom:
#   owner: security-operations
package org.overrides

# METADATA
# title: A granted exception
# description: >-
#   An entry of the list of exceptions lifts the denial of one rule of one bundle, for one agent and
#   user and one tool, until its end. It needs a justification, a ticket and an end within 90 days.
#   The gateway lifts only denials whose author marked them as overridable.
# custom:
#   id: overrides.granted_exception
#   severity: high
#   audit: true
#   owner: security-operations
waive contains {
	"bundle": exception.bundle,
	"rule": exception.rule,
	"justification": exception.justification,
	"expires": exception.expires,
	"ticket": exception.ticket,
} if {
	some exception in data.org.overrides.settings.exceptions
	is_for_this_call(exception)
	lifts_a_denial(exception)
	is_valid(exception)
}

# METADATA
# title: An exception that no longer counts
# description: >-
#   An entry of the list would have lifted a denial, but its end has passed, lies too far away, or
#   its justification or ticket is missing. The denial stands, and the list wants tidying.
# custom:
#   id: overrides.lapsed_exception
#   code: lapsed_exception
#   severity: low
#   owner: security-operations
warn contains {
	"rule": rego.metadata.rule(),
	"details": {"bundle": exception.bundle, "rule": exception.rule},
} if {
	some exception in data.org.overrides.settings.exceptions
	is_for_this_call(exception)
	lifts_a_denial(exception)
	not is_valid(exception)
}

# METADATA
# title: Stopped by the operator
# description: >-
#   The security team has stopped this server or tool. It comes back when they lift the stop; until
#   then no agent calls it.
# custom:
#   id: overrides.emergency_stop
#   code: emergency_stop
#   severity: critical
#   remediation: wait_until_the_stop_is_lifted
#   appeal: https://tickets.example.com/new?form=emergency-stop
#   overridable: false
#   disclose: text
#   audit: true
#   owner: security-operations
deny contains {"rule": rego.metadata.rule(), "details": {"ticket": ticket}} if {
	some stop in data.org.overrides.settings.stops
	stop.server == input.action.server
	object.get(stop, "tool", "*") in {"*", input.action.tool}
	ticket := object.get(stop, "ticket", null)
}

# METADATA
# title: Made for this call
# description: Agent, user, server and tool are all named, and no pattern stands for any of them.
is_for_this_call(exception) if {
	exception.agent == input.agent.id
	exception.user == input.user.id
	exception.server == input.action.server
	exception.tool == input.action.tool
}

# METADATA
# title: Meets a denial
# description: A layer before this one has denied the call by the rule that the entry names.
lifts_a_denial(exception) if {
	some denial in input.denials
	denial.bundle == exception.bundle
	denial.rule == exception.rule
}

# METADATA
# title: A complete exception within its time
# description: A written justification, a ticket, and an end that is ahead but not too far.
is_valid(exception) if {
	is_written(exception.justification)
	is_written(exception.ticket)
	left_ns := time.parse_rfc3339_ns(exception.expires) - time.parse_rfc3339_ns(input.environment.time)
	left_ns > 0
	left_ns <= data.org.overrides.settings.longest_exception_days * ns_per_day
}

# METADATA
# title: Something is written
# description: A text with more in it than blanks.
is_written(text) if trim_space(text) != ""

# METADATA
# title: Nanoseconds of a day
# description: The unit in which OPA counts time.
ns_per_day := 86400000000000
