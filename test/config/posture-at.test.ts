import { describe, expect, test } from "vitest";
import { postureAt } from "../../src/config/posture-at.ts";
import { load, minimal } from "./support.ts";

const until = "2099-01-01";
const untilMs = Date.parse(`${until}T00:00:00Z`);
const layer = (name: string, more: object = {}) => ({
  name,
  kind: "compliance",
  policy: `oci-layout:none:${name}`,
  ...more,
});
const open = (more: object) => load({ ...minimal, profile: "trial", ...more }).config;

describe("the posture", () => {
  test("names an observation until it has ended, and then no more", () => {
    const config = open({ layers: [layer("new", { mode: "observe", until }), layer("old")] });
    expect(postureAt(config, untilMs - 1)).toBe("trial:layers.new.mode=observe");
    expect(postureAt(config, untilMs)).toBe("trial:none");
  });

  test("keeps what weakens it beside an observation that has ended", () => {
    const config = open({
      decisions: { durability: "async" },
      layers: [
        layer("new", { mode: "observe", until }),
        layer("newer", { mode: "observe", until: "2099-01-02" }),
      ],
    });
    expect(postureAt(config, untilMs)).toBe(
      "trial:decisions.durability=async,layers.newer.mode=observe",
    );
  });

  test("is strict where nothing may weaken it", () => {
    expect(postureAt(load(minimal).config, untilMs)).toBe("strict");
  });
});
