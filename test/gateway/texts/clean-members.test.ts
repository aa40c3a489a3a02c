import { expect, test } from "vitest";
import { usualTexts } from "../../../src/config/texts-schema.ts";
import type { JsonObject } from "../../../src/contract/json.ts";
import { cleanMembers, cleanText } from "../../../src/gateway/texts/clean-members.ts";
import { cleanQuestion } from "../../../src/gateway/texts/clean-question.ts";

const bad = "x\u202ey";
const shown = String.raw`x\u202ey`;

test("words are shown, and what something is known by stops the whole", () => {
  const names = new Set(["taskId"]);
  const said = { data: { [bad]: [bad] }, taskId: "t" };
  expect(cleanMembers(usualTexts, said, names)).toEqual({
    data: { [shown]: [shown] },
    taskId: "t",
  });
  expect(cleanMembers(usualTexts, { data: bad, taskId: bad }, names)).toBeUndefined();
  const plain = { data: "می\u200cخواهم" };
  expect(cleanMembers(usualTexts, plain)).toBe(plain);
});

test("words do not pass where they are refused or too long", () => {
  expect(cleanText({ ...usualTexts, hiddenCharacters: "refuse" }, bad)).toBeUndefined();
  expect(cleanText({ ...usualTexts, hiddenCharacters: "remove" }, bad)).toBe("xy");
  expect(cleanText({ ...usualTexts, hiddenCharacters: "keep" }, bad)).toBe(bad);
  expect(cleanText({ ...usualTexts, maxBytes: 1024 }, "x".repeat(1024))).toBeUndefined();
  expect(cleanText({ ...usualTexts, maxBytes: 1024 }, "x".repeat(1000))).toHaveLength(1000);
});

test("words that hide more than can be taken away do not pass, and less is shown", () => {
  const hides = (count: number) => cleanMembers(usualTexts, { data: "\u200b".repeat(count) });
  expect(hides(262_144)).toEqual({ data: String.raw`\u200b`.repeat(262_144) });
  expect(hides(262_145)).toBeUndefined();
});

test("a form is shown, and one that would be answered by something hidden is none", () => {
  const form = (field: JsonObject) => ({
    message: bad,
    requestedSchema: { type: "object", properties: { a: field } },
  });
  expect(cleanQuestion(usualTexts, form({ title: bad }))).toEqual({
    message: shown,
    requestedSchema: { type: "object", properties: { a: { title: shown } } },
  });
  expect(cleanQuestion(usualTexts, form({ enum: [bad] }))).toBeUndefined();
  expect(
    cleanQuestion(usualTexts, { mode: "url", url: `https://a.example/${bad}` }),
  ).toBeUndefined();
  const tools = [{ name: "t", description: bad, inputSchema: { type: "object" } }];
  expect(cleanQuestion(usualTexts, { tools })).toEqual({
    tools: [{ name: "t", description: shown, inputSchema: { type: "object" } }],
  });
});
