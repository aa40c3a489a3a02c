# METADATA
# title: One step after another
# description: >-
#   Which steps a conversation has not done yet. A step that is done leaves a label: the operator
#   gives it to the tool's result, and the gateway keeps it with the conversation.
# custom:
#   owner: policy-library
package lib.order

# METADATA
# title: Steps that are missing
# description: >-
#   `needed` has labels by `server/tool`. Answers those that this call needs and that the
#   conversation has not seen; all of them where nobody knows what it has seen.
missing_steps(needed) := {label |
	some label in needed[this_tool]
	not label in seen
}

# METADATA
# title: This tool
# description: With its server in front, since two servers may have tools of one name.
this_tool := sprintf("%s/%s", [input.action.server, input.action.tool])

# METADATA
# title: Labels of the conversation
# description: None where they are not known.
seen := {label | some label in input.context.labels_seen}
