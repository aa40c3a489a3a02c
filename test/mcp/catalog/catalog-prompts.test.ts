import { describe, expect, test } from "vitest";
import { buildListed, namesOf, tool } from "./build-listed.ts";

describe("prompts in the catalogue", () => {
  const offers = (id: string, names: readonly string[], naming: "prefix" | "bare" = "prefix") => ({
    id,
    naming,
    lists: { prompts: names.map((name) => ({ name, vendor: 1 })), tools: [tool("review")] },
  });

  test("are exposed like tools, in names of their own", () => {
    const { prompts, promptsByName, tools } = buildListed([
      offers("a", ["review", "résumé 1"]),
      offers("b", ["review"], "bare"),
    ]);
    expect(namesOf(prompts)).toEqual(["a__review", "a__r_sum__1", "review"]);
    expect(promptsByName.get("review")).toMatchObject({ server: "b", definition: { vendor: 1 } });
    expect(namesOf(tools)).toEqual(["a__review", "review"]);
  });

  test("that collide are exposed by neither", () => {
    const { prompts, refused } = buildListed([
      offers("a", ["x"], "bare"),
      offers("b", ["x", "y"]),
      offers("c", ["x"], "bare"),
    ]);
    expect(namesOf(prompts)).toEqual(["b__x", "b__y"]);
    expect(refused.filter(({ kind }) => kind === "prompt")).toHaveLength(2);
  });

  test("that no client can show or that spoil a list are left out", () => {
    const bad = [
      { name: "" },
      { name: " x" },
      { name: "a\u202eb" },
      { name: "a\nb" },
      { name: "x".repeat(129) },
      { name: "arguments", arguments: [{ description: "no name" }] },
      {},
    ];
    const { prompts, refused } = buildListed([
      { id: "a", lists: { prompts: [...bad, { name: "good" }] } },
    ]);
    expect(namesOf(prompts)).toEqual(["a__good"]);
    expect(refused).toHaveLength(bad.length);
  });
});
