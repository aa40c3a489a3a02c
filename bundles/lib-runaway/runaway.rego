# METADATA
# title: Agents that do not stop
# description: >-
#   What shows that a conversation runs away: too many turns, too many tokens, too long, a counter that
#   is nearly full, or the same call again and again. What is not known, and a limit that nobody knows,
#   is a finding.
# custom:
#   owner: policy-library
package lib.runaway

# METADATA
# title: Limits that are reached
# description: >-
#   One {fact, limit, found} for each of turns, tokens and seconds that is reached, for each counter
#   of which the given share is used, and for each that was used so often.
findings(limits) := ((facts_reached(limits) | counters_reached(limits)) | repeats_reached(limits)) | unknown_limits(limits)

# METADATA
# title: Facts of the conversation that are reached
# description: A fact that is missing or no number counts as reached.
facts_reached(limits) := {{"fact": fact, "limit": limit, "found": found} |
	some name, fact in facts
	limit := limits[name]
	found := object.get(input, ["context", fact], null)
	not is_below(found, limit)
}

# METADATA
# title: Counters that are reached
# description: >-
#   Counters of the bundle's own manifest, by the share of their limit. One that does not count this
#   call is not there and says nothing; the gateway itself enforces the whole limit.
counters_reached(limits) := {{"fact": name, "limit": most, "found": counter.used} |
	some name, share in object.get(limits, "counters", {})
	counter := input.usage[name]
	most := share * counter.limit
	not is_below(counter.used, most)
}

# METADATA
# title: Repetitions that are reached
# description: >-
#   Counters of the bundle's own manifest, by how often they were used before this call. With args in
#   its key such a counter counts the same call; one that does not count this call says nothing.
repeats_reached(limits) := {{"fact": name, "limit": most, "found": counter.used} |
	some name, most in object.get(limits, "repeats", {})
	counter := input.usage[name]
	not is_below(counter.used, most)
}

# METADATA
# title: Limits that nobody knows
# description: A misspelt limit would limit nothing, so it is a finding in every call.
unknown_limits(limits) := {{"fact": name, "limit": limit, "found": null} |
	some name, limit in limits
	not name in (object.keys(facts) | {"counters", "repeats"})
}

# METADATA
# title: Below a limit
# description: Both are numbers, since everything else compares somehow.
is_below(found, limit) if {
	is_number(found)
	is_number(limit)
	found < limit
}

# METADATA
# title: Names of limits
# description: With the fact of `input.context` that each is about.
facts := {
	"turns": "turn_count",
	"tokens": "cumulative_tokens",
	"seconds": "session_age_seconds",
}
