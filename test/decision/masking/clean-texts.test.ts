import { expect, test } from "vitest";
import { CleanTexts, cleanMaxCharacters } from "../../../src/decision/masking/clean-texts.ts";
import { at, called, masked, openMask, token } from "./open-mask.ts";

test("texts are known until so many others came after them, and longer while they are met", () => {
  const clean = new CleanTexts();
  clean.add("seen once");
  clean.add("met again");
  for (let count = 0; count < 10_000; count += 1) {
    clean.add(`other ${count}`);
    expect(clean.has("met again")).toBe(true);
  }
  expect(clean.has("seen once")).toBe(false);
  expect(clean.has("other 9999")).toBe(true);
});

test("what they take in memory is bounded by their characters", () => {
  const clean = new CleanTexts();
  clean.add("first");
  for (let count = 0; count < 1000; count += 1) clean.add(`${count}`.padEnd(cleanMaxCharacters));
  expect(clean.has("first")).toBe(false);
});

test("what was nothing to hide under one name is looked at again under another", () => {
  const mask = openMask();
  const value = "Tr0ub4dor-and-3-more";
  const shown = (args: object) => at(masked(mask, called(args)).event, "input", "action", "args");
  for (let time = 0; time < 2; time += 1) {
    expect(shown({ note: value, list: [value] })).toEqual({ note: value, list: [value] });
    expect(at(shown({ password: value }), "password")).toMatch(token);
    expect(at(shown({ password: [value] }), "password", "0")).toMatch(token);
  }
});

test("who acts may be called what policies may not say", () => {
  const mask = openMask({ kinds: ["email", "credential"] });
  const user = "alice@example.com";
  const inputJson = JSON.stringify({ denials: { user } });
  for (let time = 0; time < 2; time += 1) {
    const { event } = masked(mask, called({}, { inputJson, user }));
    expect(event["user"]).toBe(user);
    expect(at(event, "input", "denials", "user")).toMatch(token);
  }
});

test("names that policies chose stay where the same names of somebody else go", () => {
  const mask = openMask({ kinds: ["email"] });
  const named = { "bob@example.com": { x: 1 } };
  const inputJson = JSON.stringify({ denials: { n: named, details: { n: named } } });
  for (let time = 0; time < 2; time += 1) {
    const { event } = masked(mask, called({}, { inputJson }));
    expect(at(event, "input", "denials", "n")).toEqual(named);
    expect(JSON.stringify(at(event, "input", "denials", "details"))).not.toContain("bob@");
  }
});

test("a rule of the operator hides what was nothing to hide without it", () => {
  const mask = openMask();
  const args = { query: "a customer's name" };
  expect(at(masked(mask, called(args)).event, "input", "action", "args")).toEqual(args);
  const masks = [{ path: ["input", "action", "args", "query"], op: "remove" as const }];
  const { event } = masked(mask, called(args, { hints: { masks } }));
  expect(event["erased"]).toEqual(["/input/action/args/query"]);
  const argumentsSchema = { properties: { query: { format: "password" } } };
  const shown = masked(mask, called(args, { hints: { argumentsSchema } })).event;
  expect(at(shown, "input", "action", "args", "query")).toMatch(token);
});
