# METADATA
# title: Private data on its way out
# description: >-
#   Three things together make a flow that no single call shows: the conversation has seen private
#   data, it has read text that anybody may have written, and now something goes out. Whoever wrote
#   the text may be the one who sends. Each function takes the settings of the policy that asks, and
#   treats what it does not know as the worse case.
# custom:
#   owner: policy-library
package lib.toxic_flows

# METADATA
# title: A toxic flow
# description: >-
#   What was read, which text from outside, and which way out; undefined where one of the three is
#   not there. A result is not judged again: what was sent has been sent.
flow(settings) := {"private": private, "untrusted": untrusted, "way_out": way_out} if {
	not input.phase == "result"
	way_out := way_out_of(settings)
	private := private_of(settings)
	count(private) > 0
	untrusted := untrusted_of(settings)
	count(untrusted) > 0
}

# METADATA
# title: A flow without a text from outside
# description: For those who let no private data out, whoever asked for it.
leak(settings) := {"private": private, "way_out": way_out} if {
	not input.phase == "result"
	way_out := way_out_of(settings)
	private := private_of(settings)
	count(private) > 0
}

# METADATA
# title: Private data seen
# description: >-
#   By class, the servers that it came from. This call's own classes count. A conversation that is
#   not labelled is not clean, it is unknown.
private_of(settings) := {name: sources |
	some name in settings.private_classes
	sources := sources_of(name, "data_classes_seen", "data_class_sources", "data_classes_referenced")
}

# METADATA
# title: Text from outside seen
# description: By label, the servers that it came from.
untrusted_of(settings) := {name: sources |
	some name in object.get(settings, "untrusted_labels", ["untrusted_content"])
	sources := sources_of(name, "labels_seen", "label_sources", "labels")
}

# METADATA
# title: The way out
# description: >-
#   A server whose data leaves the organisation, or a tool that somebody labelled as one that sends.
#   Not where the settings say that it stays inside.
way_out_of(settings) := name if {
	leaves(object.get(settings, "egress_labels", ["egress"]))
	not stays_inside(settings)
	name := sprintf("%v: %v", [object.get(action, "server", "unknown"), subject])
}

# METADATA
# title: Where a class or label was seen
# description: >-
#   Servers of the conversation that brought it, and this call. Undefined where it was not seen.
sources_of(name, seen, sources, own) := servers if {
	is_array(object.get(context, seen, null))
	name in context[seen]
	servers := object.get(object.get(context, sources, {}), name, ["unknown"])
} else := ["this call"] if {
	name in object.get(action, own, [])
} else := ["unknown"] if {
	not is_array(object.get(context, seen, null))
}

# METADATA
# title: Something leaves
# description: A destination of which nobody said that it is inside is outside.
leaves(egress_labels) if {
	not input.action.destination.external == false
} else if {
	some label in input.action.labels
	label in egress_labels
}

# METADATA
# title: It stays inside
# description: >-
#   An entry of `inside` names the server and tool; with a recipient the argument of that name has
#   to be one plain ASCII address of the domains, without one no call of the tool sends anything.
stays_inside(settings) if {
	some entry in object.get(settings, "inside", [])
	input.action.type == "tool_call"
	input.action.server == entry.server
	input.action.tool == entry.tool
	goes_to(entry)
}

# METADATA
# title: Nobody outside gets it
# description: A second @, a list, a display name or a look-alike letter is not plain, hence outside.
goes_to(entry) if {
	not entry.recipient
} else if {
	address := object.get(object.get(action, "args", {}), entry.recipient, null)
	is_string(address)
	trim(address, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-@") == ""
	[local, host] := split(address, "@")
	local != ""
	lower(host) in entry.domains
}

# METADATA
# title: The flow in a sentence
# description: For the agent and the record.
told(found) := sprintf("The conversation has seen %v and read %v; %v is a way out", [
	listed(found.private),
	listed(object.get(found, "untrusted", {"nothing from outside": []})),
	found.way_out,
])

# METADATA
# title: Names with their servers
# description: Sorted, so that the same flow has the same words.
listed(sources) := concat(", ", sort([words |
	some name, servers in sources
	words := concat("", [name, from(servers)])
]))

# METADATA
# title: The servers behind a name
# description: Nothing where there is none.
from(servers) := sprintf(" (%v)", [concat(", ", servers)]) if {
	count(servers) > 0
} else := ""

# METADATA
# title: The action
# description: Empty where the gateway says nothing of it.
action := object.get(input, "action", {})

# METADATA
# title: The conversation
# description: Empty where the gateway says nothing of it.
context := object.get(input, "context", {})

# METADATA
# title: What the action is about
# description: A tool, a prompt, a resource, or the kind of action.
subject := input.action.tool if {
	is_string(input.action.tool)
} else := input.action.prompt if {
	is_string(input.action.prompt)
} else := input.action.uri if {
	is_string(input.action.uri)
} else := object.get(action, "type", "unknown")
