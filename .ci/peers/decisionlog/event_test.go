// Package decisionlog proves that what `decision export` writes is what OPA's own decision log plugin
// knows: every line of the events that the tests hold an export to becomes an event of OPA, without a
// member that OPA would not know.
package decisionlog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/open-policy-agent/opa/v1/plugins/logs"
)

const events = "../../../test/fixtures/decision-log.jsonl"

func TestEventsAreOfOPA(t *testing.T) {
	file, err := os.Open(events)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<24)
	count := 0
	for lines.Scan() {
		decoder := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		decoder.DisallowUnknownFields()
		var event logs.EventV1
		if err := decoder.Decode(&event); err != nil {
			t.Fatal(err)
		}
		if _, err := event.AST(); err != nil {
			t.Fatal(err)
		}
		if event.DecisionID == "" || event.Input == nil || event.Result == nil || event.Timestamp.IsZero() {
			t.Fatalf("expected a decision, found %s", lines.Text())
		}
		count++
	}
	if count == 0 {
		t.Fatal("expected events, found none")
	}
}
