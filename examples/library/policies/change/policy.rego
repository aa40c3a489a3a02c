# METADATA
# title: Changes to production
# description: When something may be released, and after which steps.
# custom:
#   owner: platform-team
package org.change

import data.lib.order
import data.lib.time as moments

# METADATA
# title: Nothing is released in a freeze
# description: While a freeze lasts, production stays as it is.
# custom:
#   id: change.freeze
#   code: change_freeze
#   severity: high
#   remediation: wait_until_the_freeze_ends
#   overridable: true
#   disclose: text
#   audit: true
#   owner: platform-team
deny contains {"rule": rego.metadata.rule(), "details": {"windows": open}} if {
	is_release
	moments.is_production
	open := moments.open_windows(data.org.change.settings.freezes)
	count(open) > 0
}

# METADATA
# title: Releases are made in working hours
# description: Outside of them nobody is there to take a release back.
# custom:
#   id: change.hours
#   code: outside_working_hours
#   severity: medium
#   remediation: release_in_working_hours
#   overridable: true
#   disclose: text
#   owner: platform-team
deny contains {"rule": rego.metadata.rule()} if {
	is_release
	moments.is_production
	not moments.is_within_hours(data.org.change.settings.hours)
}

# METADATA
# title: A release follows its tests and its review
# description: Both are done in the same conversation first, in production and elsewhere.
# custom:
#   id: change.order
#   code: step_missing
#   severity: high
#   remediation: do_the_missing_steps_first
#   alternatives: [deploy__run_tests, deploy__review_change]
#   disclose: text
#   owner: platform-team
deny contains {"rule": rego.metadata.rule(), "details": {"missing": missing}} if {
	missing := order.missing_steps(data.org.change.settings.needed)
	count(missing) > 0
}

# METADATA
# title: A release
# description: By its server and tool.
is_release if order.this_tool == "deploy/release"
