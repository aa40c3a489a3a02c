import { describe, expect, test } from "vitest";
import type { DetectorKind } from "../../../src/contract/detector-kind.ts";
import { broughtBy, classify, detect, detectSent } from "../../../src/policy/input/classify.ts";

const detectors = new Map<DetectorKind, string>([
  ["email", "contact_data"],
  ["phone", "contact_data"],
  ["payment_card", "payment_data"],
]);
const nothing = { dataClasses: [], labels: [] };

describe("what the detectors find", () => {
  test("is named as the operator names it, once", () => {
    const value = { mail: "ann@example.com", phone: "+1 212 555 0117", card: 4111111111111111 };
    expect(detect(value, detectors).dataClasses).toEqual(["contact_data", "payment_data"]);
    expect(detect(value, new Map([["email", "pii"]]))).toEqual({
      dataClasses: ["pii"],
      labels: [],
    });
    expect(detect(value, new Map())).toEqual(nothing);
  });

  test("of a text that is too long to read is that nobody looked", () => {
    const long = { text: "x".repeat(200_000), mail: "ann@example.com" };
    expect(detect(long, detectors)).toEqual({ dataClasses: [], labels: ["unscanned_content"] });
  });

  test("is looked for in all that is sent, and in what it is about", () => {
    const mail = '{"a":{"to":"ann@example.com"}}';
    for (const name of ["args", "input_responses", "message", "task"]) {
      expect(detectSent({ [name]: mail }, {}, detectors).dataClasses).toEqual(["contact_data"]);
    }
    const uri = "flow://x?to=ann%40example.com";
    expect(detectSent({}, { uri }, detectors).dataClasses).toEqual(["contact_data"]);
    expect(detectSent({ args: mail }, { uri }, new Map())).toEqual(nothing);
  });

  test("is kept apart from what somebody said", () => {
    const found = { dataClasses: ["contact_data"], labels: ["unscanned_content"] };
    expect(classify({ dataClasses: ["internal"], labels: ["egress"] }, found)).toEqual({
      dataClasses: ["internal"],
      labels: ["egress", "unscanned_content"],
      detectedClasses: ["contact_data"],
    });
    expect(classify(undefined)).toEqual({ ...nothing, detectedClasses: [] });
  });
});

describe("what an action brings", () => {
  test("is what it touches and what the operator says of its result", () => {
    const call = { dataClasses: ["internal"], labels: ["vetted"] };
    const result = { dataClasses: ["customer_data"], labels: ["first_party"] };
    expect(broughtBy(call, { ...nothing, result })).toEqual({
      dataClasses: ["internal", "customer_data"],
      labels: ["vetted", "first_party"],
    });
  });

  test.each([[[]], [["egress"]], [["unscanned_content"]]])(
    "is text that anybody may have written where nobody labelled it: %j",
    (labels) => {
      expect(broughtBy({ dataClasses: [], labels }).labels).toEqual([
        ...labels,
        "untrusted_content",
      ]);
      const result = { dataClasses: [], labels: ["first_party"] };
      const labelled = broughtBy({ dataClasses: [], labels }, { ...nothing, result });
      expect(labelled.labels).toEqual([...labels, "first_party"]);
    },
  );
});
