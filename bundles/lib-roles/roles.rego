# METADATA
# title: Who may do what
# description: >-
#   Roles of an agent that acts for a user. A role needs both: the user is in one of its groups, and
#   the agent works in one of its scopes. An agent that nobody verified has no role.
# custom:
#   owner: policy-library
package lib.roles

# METADATA
# title: A role
# description: "`register` has {groups, scopes} by role."
has_role(register, role) if role in roles_of(register)

# METADATA
# title: Roles of this call
# description: All roles of the register that the user and the agent have together.
roles_of(register) := {role |
	some role, needs in register
	input.agent.authenticated == true
	input.agent.scope in needs.scopes
	some group in input.user.groups
	group in needs.groups
}

# METADATA
# title: Users who are another than the one named
# description: >-
#   True where the argument names somebody else than the user for whom the agent acts, or nobody that
#   can be read: for rules about one's own records.
is_somebody_else(argument) if not object.get(input, ["action", "args", argument], null) == input.user.id
