package rego

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

func typed(t *testing.T, body string) []Problem {
	t.Helper()
	text, err := os.ReadFile("../../schema/input.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema any
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	response := ask(t, map[string]any{
		"op":      "check",
		"schema":  schema,
		"modules": map[string]string{"p.rego": "package p\n\ndeny contains 1 if {\n" + body + "\n}\n"},
	})
	if response.Fault != "" {
		t.Fatal(response.Fault)
	}
	return response.Problems
}

func TestInputThatDoesNotExistIsATypeError(t *testing.T) {
	bodies := []string{
		`input.agnt.id == "a"`, `input.agent.ids == "a"`, `input.action.tol == "a"`, `input.user.grups[_] == "a"`,
		`input.context.turns > 1`, `input.environment.prod`, `input.action.annotations.readonly`,
		`input.action.destination.extern`, `input.layer.identity == "a"`, `input.denials[_].cod == "a"`,
		`input.action.tool == 1`, `input.context.turn_count == "a"`, `input.result.isError`, `input.user.groups == "a"`,
	}
	for _, body := range bodies {
		problems := typed(t, body)
		isType := func(p Problem) bool { return strings.HasPrefix(p.Code, "rego_type") && p.Row == 4 }
		if !slices.ContainsFunc(problems, isType) {
			t.Errorf("%s: expected a type error, got %+v", body, problems)
		}
	}
}

func TestInputThatExistsIsNoTypeError(t *testing.T) {
	bodies := []string{
		`input.action.args.anything.at.all[0] == 1`, `input.agent.parent == null`, `input.agent.parent == "a"`,
		`input.approval == null`, `input.approval.approved_by == "a"`, `input.usage.calls.used > 1`, `"a" in input.user.groups`,
		`not input.action.annotations.readOnlyHint`, `object.get(input.action.annotations, "other", 1) == 1`,
		`input.environment.region == null`, `some denial in input.denials; denial.overridable`, `input.result.structured_content.a == 1`,
		`some block in input.result.content; block.text == "a"`, `input.agent.client.name == "a"`, `input.phase == "result"`,
		`every seen in input.context.data_classes_seen { seen != "a" }`, `x := input.action; x.tool == "a"`,
		`input.action[key] == "a"; key == "tool"`, `input.action.message.params.a == 1`,
	}
	for _, body := range bodies {
		if problems := typed(t, body); len(problems) > 0 {
			t.Errorf("%s: %+v", body, problems)
		}
	}
}
