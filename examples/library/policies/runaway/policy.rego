# METADATA
# title: Agents that do not stop
# description: A conversation has an end, and an agent that repeats itself is looked at.
# custom:
#   owner: ai-operations
package org.runaway

import data.lib.runaway

# METADATA
# title: A conversation has an end
# description: After so many turns, tokens or hours a person starts a new one.
# custom:
#   id: runaway.limit
#   code: conversation_too_long
#   severity: medium
#   remediation: start_a_new_conversation
#   disclose: text
#   owner: ai-operations
deny contains {"rule": rego.metadata.rule(), "details": found} if {
	some found in runaway.findings(data.org.runaway.settings.limits)
}

# METADATA
# title: An agent that repeats itself is looked at
# description: Much of what one agent may call one tool in ten minutes is used.
# custom:
#   id: runaway.repeats
#   code: tool_repeated
#   severity: medium
#   remediation: wait_for_approval
#   disclose: text
#   owner: ai-operations
require_approval contains {"rule": rego.metadata.rule(), "details": found} if {
	some found in runaway.findings({"counters": {"calls_of_one_tool": 0.8}})
}

# METADATA
# title: The same call again and again is stopped
# description: What did not help five times in ten minutes does not help the sixth time.
# custom:
#   id: runaway.same_call
#   code: call_repeated
#   severity: medium
#   remediation: change_the_arguments
#   disclose: text
#   owner: ai-operations
deny contains {"rule": rego.metadata.rule(), "details": found} if {
	some found in runaway.findings({"repeats": {"same_call": 5}})
}
