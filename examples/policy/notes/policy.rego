package mcp.notes

# METADATA
# title: Everybody reads notes
# custom: {id: notes.read, severity: low, owner: docs-team}
allow contains {"rule": rego.metadata.rule()} if input.action.tool == "read_note"

# METADATA
# title: Everybody writes notes
# custom: {id: notes.write, severity: medium, owner: docs-team}
allow contains {"rule": rego.metadata.rule()} if input.action.tool == "write_note"

# METADATA
# title: Everybody reads the handbook
# description: The handbook is offered as resources too, and clients may follow its changes.
# custom:
#   id: notes.handbook
#   severity: low
#   owner: docs-team
#   actions: [resource_read, resource_subscribe]
allow contains {"rule": rego.metadata.rule()} if {
	startswith(input.action.uri, "note:///handbook/")
}

# METADATA
# title: The server may ask whether to overwrite a note
# description: A yes or no in the middle of write_note, and nothing else.
# custom:
#   id: notes.overwrite
#   severity: low
#   owner: docs-team
#   actions: [elicitation]
allow contains {"rule": rego.metadata.rule()} if {
	input.action.type == "elicitation"
	input.action.tool == "write_note"
	object.keys(input.action.message.requestedSchema.properties) == {"overwrite"}
}

# METADATA
# title: The handbook is written by its editors
# description: A note under handbook/ is what the company tells its people; only editors change it.
# custom:
#   id: notes.handbook_editors
#   code: handbook_is_read_only
#   severity: high
#   remediation: ask_an_editor
#   appeal: https://tickets.example.com/new?form=handbook
#   alternatives: [notes__read_note]
#   owner: docs-team
deny contains {"rule": rego.metadata.rule(), "details": {"path": path}} if {
	input.action.tool == "write_note"
	path := object.get(input.action.args, "path", "")
	not is_outside_handbook(path)
	not "editors" in input.user.groups
}

is_outside_handbook(path) if {
	is_string(path)
	path != ""
	not startswith(lower(path), "handbook/")
}
