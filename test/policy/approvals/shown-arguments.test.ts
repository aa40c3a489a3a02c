/**
 * What a person sees of the arguments before deciding: all of them, to the last byte, and nothing
 * that a screen would hide.
 */
import { expect, test } from "vitest";
import { makeApproval } from "../../../src/policy/approvals/approval-subject.ts";
import { clientQuestion } from "../../../src/policy/approvals/client-question.ts";
import { element, subject, workflow } from "./subjects.ts";

const approval = makeApproval(
  subject({}, { asked: [{ layer: workflow, match: element({}) }] }),
  { ttlMs: 60_000, maxTtlMs: 120_000 },
  "01a2058b-8bd0-72b1-b5a4-1c6b02bbba0f",
  1000,
);
const most = 16_384;

/** Arguments of this many characters, with what matters at the end. */
function argumentsOf(characters: number, last: string): string {
  const around = JSON.stringify({ note: "", last }).length;
  return JSON.stringify({ note: "n".repeat(characters - around), last });
}

const messageOf = (argumentsJson: string): unknown =>
  clientQuestion(approval, argumentsJson)?.["message"];

test("a question shows arguments to their last character, however long, or is not asked", () => {
  for (const characters of [300, 5_000, most]) {
    const sent = argumentsOf(characters, "everything");
    expect(sent).toHaveLength(characters);
    expect(messageOf(sent)).toContain(`\n${sent}\n`);
  }
  expect(clientQuestion(approval, argumentsOf(most + 1, "everything"))).toBeUndefined();
});

test("a question shows what a screen hides as an escape, and counts it as that", () => {
  const hidden = "\u202e\u200b\u0085";
  const shown = '"\\u202e\\u200b\\u0085"}';
  expect(messageOf(argumentsOf(200, hidden))).toContain(shown);
  expect(messageOf(argumentsOf(200, hidden))).not.toContain(hidden);
  // Within the limit as it is sent, beyond it as it is shown.
  expect(clientQuestion(approval, argumentsOf(most, hidden))).toBeUndefined();
});
