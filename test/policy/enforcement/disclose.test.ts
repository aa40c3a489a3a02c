/**
 * How title, message and description of a rule become one line for an agent.
 */
import { expect, test } from "vitest";
import { gatewayDenial } from "../../../src/policy/combine.ts";
import { disclose } from "../../../src/policy/enforcement/disclose.ts";

function lineOf(texts: { readonly title?: string; readonly message?: string }): string | undefined {
  const { answer, denials } = gatewayDenial("id", "blocked");
  const matches = denials.map(({ match }) => ({
    ...match,
    description: "More.",
    title: texts.title,
    message: texts.message,
  }));
  return disclose(answer, matches).sentences[0];
}

test.each([
  [{ title: "Too much", message: "5 of 3" }, "[blocked] Too much: 5 of 3: More."],
  [{ title: "It is used up.", message: "5 of 3" }, "[blocked] It is used up. 5 of 3: More."],
  [{ title: "It ends.", message: "Really!" }, "[blocked] It ends. Really! More."],
  [{ title: "No more" }, "[blocked] No more: More."],
  [{}, "[blocked] More."],
])("%o", (texts, line) => {
  expect(lineOf(texts)).toBe(line);
});
