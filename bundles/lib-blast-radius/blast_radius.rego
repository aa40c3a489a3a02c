# METADATA
# title: How much one call can do
# description: >-
#   What policies ask before a person has to agree: how much money, how many targets, and whether the
#   call may destroy anything. What cannot be read counts as much.
# custom:
#   owner: policy-library
package lib.blast_radius

# METADATA
# title: A number that is too large
# description: >-
#   True where the argument at this path is above the most, and where it is missing, negative or no
#   number: nobody knows how much that would be.
exceeds(path, most) if not is_amount_up_to(object.get(arguments, path, null), most)

# METADATA
# title: Too many targets
# description: >-
#   True where the argument at this path names more than so many: elements of an array, one for a
#   text. A wildcard, an empty text and everything else names any number of them.
reaches_more_than(path, most) if not is_few(object.get(arguments, path, null), most)

# METADATA
# title: A call that may destroy
# description: >-
#   True unless the server's own hints say that it only reads, or that it destroys nothing. Hints are
#   the server's word; the specification takes a tool without hints for one that destroys.
may_destroy if {
	not object.get(hints, "readOnlyHint", false) == true
	not object.get(hints, "destructiveHint", true) == false
}

# METADATA
# title: An amount within bounds
# description: A number from 0 to the most.
is_amount_up_to(amount, most) if {
	is_number(amount)
	amount >= 0
	amount <= most
}

# METADATA
# title: Few targets
# description: A text without wildcards, or an array of such texts that is not longer than allowed.
is_few(targets, most) if {
	is_array(targets)
	count(targets) <= most
	every target in targets {
		is_one(target)
	}
} else if {
	most >= 1
	is_one(targets)
}

# METADATA
# title: One target
# description: A number, or a text that stands for one thing.
is_one(target) if {
	is_string(target)
	trim_space(target) != ""
	not regex.match(`[*?%,;\s]`, target)
} else if is_number(target)

# METADATA
# title: Arguments by name
# description: The arguments of the call, or none where they are not an object.
arguments := input.action.args if {
	is_object(input.action.args)
} else := {}

# METADATA
# title: Hints of the tool
# description: What the server says about it, or nothing.
hints := object.get(input, ["action", "annotations"], {})
