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

test_a_missing_path_is_refused if {
	count(notes.deny) == 1 with input as call("write_note", {}, [])
}

test_a_path_of_another_type_is_refused if {
	every path in [7, null, ["notes"], {}] {
		count(notes.deny) == 1 with input as call("write_note", {"path": path}, [])
	}
}
