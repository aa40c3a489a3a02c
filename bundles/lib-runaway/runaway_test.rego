package lib.runaway_test

import data.lib.runaway

limits := {"turns": 100, "tokens": 50000, "seconds": 3600, "counters": {"calls_per_minute": 0.8}}

test_a_young_conversation_is_no_finding if {
	count(runaway.findings(limits)) == 0 with input as at(99, 49999, 3599, 23)
}

test_each_limit_is_one if {
	facts(runaway.findings(limits)) == {"turn_count"} with input as at(100, 0, 0, 0)
	facts(runaway.findings(limits)) == {"cumulative_tokens"} with input as at(0, 50000, 0, 0)
	facts(runaway.findings(limits)) == {"session_age_seconds"} with input as at(0, 0, 3600, 0)
	facts(runaway.findings(limits)) == {"calls_per_minute"} with input as at(0, 0, 0, 24)
}

test_a_finding_says_what_was_found if {
	runaway.findings({"turns": 3}) == {{"fact": "turn_count", "limit": 3, "found": 7}} with input as at(7, 0, 0, 0)
}

test_the_same_call_again_is_one if {
	repeats := {"repeats": {"same_call": 5}}
	count(runaway.findings(repeats)) == 0 with input as again(4)
	runaway.findings(repeats) == {{"fact": "same_call", "limit": 5, "found": 5}} with input as again(5)
	facts(runaway.findings(repeats)) == {"same_call"} with input as again("4")
	facts(runaway.findings({"repeats": {"same_call": "5"}})) == {"same_call"} with input as again(4)
}

test_a_repetition_that_does_not_count_the_call_is_none if {
	count(runaway.findings({"repeats": {"same_call": 0}})) == 0 with input as at(0, 0, 0, 99)
}

test_what_is_not_known_is_a_finding if {
	facts(runaway.findings({"turns": 3})) == {"turn_count"} with input as {}
	facts(runaway.findings({"turns": 3})) == {"turn_count"} with input as at("1", 0, 0, 0)
	facts(runaway.findings({"turns": "3"})) == {"turn_count"} with input as at(1, 0, 0, 0)
}

test_a_misspelt_limit_is_a_finding if {
	facts(runaway.findings({"turn": 3})) == {"turn"} with input as at(0, 0, 0, 0)
}

test_a_counter_that_does_not_count_the_call_is_none if {
	count(runaway.findings({"counters": {"refunds_per_day": 0.8}})) == 0 with input as at(0, 0, 0, 99)
}

test_what_no_limit_is_set_for_is_none if {
	count(runaway.findings({})) == 0 with input as at(9999, 9999999, 9999999, 99)
}

again(used) := {"usage": {"same_call": {"used": used, "limit": 20}}}

facts(findings) := {finding.fact | some finding in findings}

at(turns, tokens, seconds, used) := {
	"context": {
		"turn_count": turns,
		"cumulative_tokens": tokens,
		"session_age_seconds": seconds,
	},
	"usage": {"calls_per_minute": {"used": used, "limit": 30}},
}
