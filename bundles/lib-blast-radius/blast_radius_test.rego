package lib.blast_radius_test

import data.lib.blast_radius

test_an_amount_up_to_the_most_is_small if {
	every amount in {0, 12.5, 500} {
		not blast_radius.exceeds(["amount"], 500) with input as refund(amount)
	}
}

test_what_is_more_or_unknown_exceeds if {
	every amount in {500.01, 9999, -1, "20", null, [20]} {
		blast_radius.exceeds(["amount"], 500) with input as refund(amount)
	}
	blast_radius.exceeds(["amount"], 500) with input as {"action": {"args": {}}}
	blast_radius.exceeds(["amount"], 500) with input as {"action": {"args": [1]}}
	blast_radius.exceeds(["amount"], 500) with input as {"action": {}}
}

test_an_amount_may_lie_deeper if {
	deep := {"action": {"args": {"order": {"total": 7}}}}
	not blast_radius.exceeds(["order", "total"], 10) with input as deep
	blast_radius.exceeds(["order", "total"], 5) with input as deep
}

test_few_targets_are_few if {
	every targets in {"C-17", 17, ["C-17"], ["C-17", "C-18"], []} {
		not blast_radius.reaches_more_than(["ids"], 2) with input as call({"ids": targets}, {})
	}
}

test_many_or_unknown_targets_are_many if {
	every targets in {["a", "b", "c"], "*", "C-%", "a,b,c", "a b", "", " ", null, true, {"all": true}, ["*"], [["a", "b"]]} {
		blast_radius.reaches_more_than(["ids"], 2) with input as call({"ids": targets}, {})
	}
	blast_radius.reaches_more_than(["ids"], 2) with input as call({}, {})
	blast_radius.reaches_more_than(["ids"], 0) with input as call({"ids": "C-17"}, {})
}

test_a_tool_without_hints_may_destroy if {
	blast_radius.may_destroy with input as call({}, {})
	blast_radius.may_destroy with input as {"action": {}}
	blast_radius.may_destroy with input as call({}, {"destructiveHint": true, "readOnlyHint": false})
}

test_a_tool_that_reads_or_only_adds_does_not if {
	not blast_radius.may_destroy with input as call({}, {"readOnlyHint": true})
	not blast_radius.may_destroy with input as call({}, {"destructiveHint": false})
}

refund(amount) := call({"amount": amount}, {})

call(args, hints) := {"action": {"type": "tool_call", "tool": "t", "args": args, "annotations": hints}}
