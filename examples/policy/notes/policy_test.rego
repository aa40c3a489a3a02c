package mcp.notes.policy_test

import data.mcp.notes

call(tool, args, groups) := {
	"action": {"type": "tool_call", "server": "notes", "tool": tool, "args": args},
	"user": {"id": "alice", "groups": groups},
}

test_reading_is_granted if {
	count(notes.allow) == 1 with input as call("read_note", {"path": "handbook/leave"}, [])
	count(notes.deny) == 0 with input as call("read_note", {"path": "handbook/leave"}, [])
}

test_the_handbook_is_refused if {
	some denial in notes.deny with input as call("write_note", {"path": "Handbook/leave"}, [])
	denial.rule.custom.code == "handbook_is_read_only"
}

test_editors_write_the_handbook if {
	count(notes.deny) == 0 with input as call("write_note", {"path": "handbook/leave"}, ["editors"])
}

test_the_handbook_is_granted_as_a_resource if {
	every type in ["resource_read", "resource_subscribe"] {
		count(notes.allow) == 1 with input as {"action": {"type": type, "uri": "note:///handbook/a"}}
		count(notes.allow) == 0 with input as {"action": {"type": type, "uri": "note:///private/a"}}
	}
}

ask(tool, properties) := {"action": {
	"type": "elicitation",
	"tool": tool,
	"message": {"message": "?", "requestedSchema": {"type": "object", "properties": properties}},
}}

test_the_question_of_write_note_is_granted if {
	granted("write_note", {"overwrite": {"type": "boolean"}})
}

test_no_other_question_is_granted if {
	not granted("read_note", {"overwrite": {"type": "boolean"}})
	not granted("write_note", {"overwrite": {"type": "boolean"}, "address": {"type": "string"}})
}

granted(tool, properties) if {
	some grant in notes.allow with input as ask(tool, properties)
	"elicitation" in grant.rule.custom.actions
}

test_a_missing_path_is_refused if {
	count(notes.deny) == 1 with input as call("write_note", {}, [])
}

test_a_path_of_another_type_is_refused if {
	every path in [7, null, ["notes"], {}] {
		count(notes.deny) == 1 with input as call("write_note", {"path": path}, [])
	}
}
