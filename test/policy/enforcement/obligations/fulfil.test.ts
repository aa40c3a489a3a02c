import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../../src/contract/json.ts";
import type { Fulfilment } from "../../../../src/policy/enforcement/obligations/fulfil.ts";
import { fulfil } from "../../../../src/policy/enforcement/obligations/fulfil.ts";
import { readDuty } from "../../../../src/policy/enforcement/obligations/read-duty.ts";
import { findSensitive } from "../../../../src/policy/input/detect/find-sensitive.ts";

const none: ReadonlySet<string> = new Set();
const mail = "bob@example.com";
const base64 = (text: string): string => Buffer.from(text).toString("base64");

function oblige(message: unknown, ...obligations: readonly [string, JsonObject][]): Fulfilment {
  const text = typeof message === "string" ? message : JSON.stringify(message);
  const duties = obligations.map(([type, properties]) => {
    const reading = readDuty({ id: `the ${type}`, type, properties }, none);
    if (!reading.ok) throw new Error(reading.problem);
    if (reading.duty.type === "notify") throw new Error("expected one that changes");
    return reading.duty;
  });
  return fulfil(text, duties, findSensitive);
}

function shown(fulfilment: Fulfilment): JsonObject {
  if (!fulfilment.ok) throw new Error(fulfilment.problem);
  return JSON.parse(fulfilment.text);
}

const emails = ["redact", { kinds: ["email"] }] as const satisfies [string, JsonObject];
const text = (words: string): object => ({ content: [{ type: "text", text: words }] });

describe("redact", () => {
  const places: Readonly<Record<string, object>> = {
    "a text": text(`write to ${mail}.`),
    "a text of JSON with escapes": text(`{"mail":"b\\u006fb@example.com"}`),
    "escapes in JSON in a text": text(`{"a":"{\\"b\\":\\"b\\\\u006fb@example.com\\"}"}`),
    "JSON in JSON in a text": text(JSON.stringify({ a: JSON.stringify({ b: `to ${mail}` }) })),
    "a text in base64": text(`raw ${base64(`the address is ${mail}, see`)}`),
    "a text with percent signs": text("see x?to=bob%40example.com"),
    "structured content": { content: [], structuredContent: { to: [{ mail }] } },
    "the name of a member": { content: [], structuredContent: { [mail]: 1 } },
    "an embedded resource": {
      content: [{ type: "resource", resource: { uri: "x:1", mimeType: "text/plain", text: mail } }],
    },
    "the URI of a link": { content: [{ type: "resource_link", uri: `x://${mail}`, name: "n" }] },
    "the title of a link": {
      content: [{ type: "resource_link", uri: "x:1", name: "n", title: mail, description: mail }],
    },
    "the contents of a resource": { contents: [{ uri: "x:1", text: mail }] },
    "a prompt": { messages: [{ role: "user", content: { type: "text", text: mail } }] },
    "an error": { message: `no ${mail}`, data: { who: mail } },
    "an error with text as data": { message: "no", data: mail },
    "a log message": { level: "info", data: mail },
    "a completion": { completion: { values: [mail], hasMore: false } },
    "a question": {
      resultType: "input_required",
      inputRequests: { a: { method: "elicitation/create", params: { message: mail } } },
    },
    "the result of a task": {
      taskId: "1",
      status: "completed",
      statusMessage: mail,
      result: { content: [{ type: "text", text: mail }] },
    },
    "the server's own metadata": { content: [], _meta: { "example.com/who": mail } },
    "a member that nobody knows": { content: [], more: [[{ deep: mail }]] },
  };

  test.each(Object.entries(places))("finds %s", (_, message) => {
    const fulfilment = oblige(message, emails);
    const found = JSON.stringify(shown(fulfilment));
    expect(found).not.toContain(mail);
    expect(found).not.toContain(base64(`the address is ${mail}, see`).slice(8, 40));
    expect(found).not.toContain("bob%40");
    expect(found).not.toContain("b\\\\u006fb");
    expect(fulfilment.ok && fulfilment.done[0]?.changed).toBeGreaterThan(0);
  });

  test("leaves a message in which it finds nothing as it came, byte for byte", () => {
    const came = '{ "content" : [{"type":"text","text":"nothing \\u0068ere"}], "n":1.50 }';
    const fulfilment = oblige(came, emails);
    expect(fulfilment).toMatchObject({ ok: true, text: came, done: [{ changed: 0 }] });
  });

  test("reads JSON in a text as its reader will, not as it is written", () => {
    const cleaned = shown(oblige(text('{"a":"b\\u006fb\\u0040example.com"}'), emails));
    expect(cleaned).toEqual(text('{"a":"[redacted]"}'));
  });

  test("keeps the digits of numbers beside what it changes", () => {
    const came = `{"content":[],"structuredContent":{"id":12345678901234567890,"x":1.50,"m":"${mail}"}}`;
    const fulfilment = oblige(came, emails);
    expect(fulfilment.ok && fulfilment.text).toContain('"id":12345678901234567890,"x":1.50');
  });

  test("finds a member that stands twice", () => {
    const came = `{"content":[],"structuredContent":{"m":"${mail}","m":"other"}}`;
    expect(oblige(came, emails)).toMatchObject({ ok: true, done: [{ changed: 1 }] });
    expect(oblige(came, emails).ok && JSON.stringify(oblige(came, emails))).not.toContain(mail);
  });

  test.each([
    ["an image", { content: [{ type: "image", data: "AAAA", mimeType: "image/png" }] }],
    ["a sound", { content: [{ type: "audio", data: "AAAA", mimeType: "audio/wav" }] }],
    ["a file", { content: [{ type: "resource", resource: { uri: "x:1", blob: "AAAA" } }] }],
    ["the file of a resource", { contents: [{ uri: "x:1", blob: "AAAA", mimeType: "a/b" }] }],
  ])("lets %s not pass, and says so", (_, message) => {
    const found = JSON.stringify(shown(oblige(message, emails)));
    expect(found).not.toContain("AAAA");
    expect(found).toContain("cannot look into this content");
  });

  test("lets long data that are no text not pass", () => {
    const blob = Buffer.alloc(3000, "\u00ff\u0001x", "latin1").toString("base64");
    expect(JSON.stringify(shown(oblige(text(`see ${blob}`), emails)))).not.toContain(blob);
    const digest = "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c";
    expect(shown(oblige(text(digest), emails))).toEqual(text(digest));
  });

  test("stops a message that says it where nothing can be changed", () => {
    const message = { content: [{ type: "text", text: "x", mimeType: `text/${mail}` }] };
    expect(oblige(message, emails)).toMatchObject({ ok: false });
  });

  test("takes out literals, patterns of RE2 and what pointers name, with words of the policy's", () => {
    const properties = {
      literals: ["Falcon"],
      patterns: ["K-[0-9]{3}"],
      pointers: ["/who/0/na~1me"],
      with: "(cut)",
    };
    const structuredContent = { who: [{ "na/me": "Eve" }, { "na/me": "Joe" }] };
    const message = { ...text("Falcon K-123 K-12"), structuredContent };
    expect(shown(oblige(message, ["redact", properties]))).toEqual({
      ...text("(cut) (cut) K-12"),
      structuredContent: { who: [{ "na/me": "(cut)" }, { "na/me": "Joe" }] },
    });
  });

  test("takes a card number that is a number", () => {
    const message = { content: [], structuredContent: { card: 4111111111111111 } };
    const fulfilment = oblige(message, ["redact", { kinds: ["payment_card"] }]);
    expect(shown(fulfilment)).toEqual({ content: [], structuredContent: { card: "[redacted]" } });
  });
});

describe("mask_fields", () => {
  const customer = { name: "Bob", contact: { mail, phones: ["1", "2"] }, age: 4, vip: true };
  const fields = (list: string[], more: JsonObject = {}): [string, JsonObject] => [
    "mask_fields",
    { fields: list, ...more },
  ];

  test("masks a field by its name in the structure and in the text that repeats it", () => {
    const message = { ...text(JSON.stringify({ customer })), structuredContent: { customer } };
    const masked = JSON.stringify(shown(oblige(message, fields(["mail"]))));
    expect(masked).not.toContain(mail);
    expect(masked.match(/\*\*\*/g)).toHaveLength(2);
  });

  test.each([
    ["contact.mail", { mail: "***", phones: ["1", "2"] }],
    ["customers.*.contact.phones.*", { mail, phones: ["***", "***"] }],
    ["customers.contact.mail", { mail: "***", phones: ["1", "2"] }],
    ["contact.*", { mail: "***", phones: "***" }],
  ])("masks the path %s", (path, contact) => {
    const message = { content: [], structuredContent: { customers: [customer] } };
    const expected = { content: [], structuredContent: { customers: [{ ...customer, contact }] } };
    expect(shown(oblige(message, fields([path])))).toEqual(expected);
  });

  test("keeps types where the obligation says so", () => {
    const message = { content: [], structuredContent: customer };
    const masked = oblige(message, fields(["name", "contact", "age", "vip"], { keep_type: true }));
    expect(shown(masked)).toEqual({
      content: [],
      structuredContent: { name: "***", contact: {}, age: 0, vip: false },
    });
  });

  test("lets text without fields not pass, unless the obligation says so", () => {
    const message = text(`mail: ${mail}`);
    expect(JSON.stringify(shown(oblige(message, fields(["mail"]))))).not.toContain(mail);
    expect(shown(oblige(message, fields(["mail"], { text: "pass" })))).toEqual(message);
  });

  test("masks the data of an error and both of two members of one name", () => {
    const masked = oblige(`{"message":"{}","data":{"mail":"a","mail":"b"}}`, fields(["mail"]));
    expect(masked.ok && masked.text).toBe(`{"message":"{}","data":{"mail":"***","mail":"***"}}`);
  });
});

describe("truncate", () => {
  test("cuts texts between characters, together, and says so", () => {
    const message = {
      content: [
        { type: "text", text: "a😀b" },
        { type: "text", text: "cd" },
      ],
    };
    const characters = JSON.stringify(shown(oblige(message, ["truncate", { max_characters: 2 }])));
    expect(characters).toContain("a😀\\n[truncated by policy: 1 of 4");
    expect(characters).not.toContain("cd");
    const bytes = JSON.stringify(shown(oblige(message, ["truncate", { max_bytes: 4 }])));
    expect(bytes).toContain('"a\\n[truncated by policy');
    expect(bytes).not.toContain("😀");
  });

  test("leaves out structured content and images that are longer, and says so", () => {
    const image = { type: "image", data: "A".repeat(40), mimeType: "image/png" };
    const message = { content: [image], structuredContent: { x: "y".repeat(40) } };
    const cut = shown(oblige(message, ["truncate", { max_bytes: 20 }]));
    expect(cut["structuredContent"]).toBeUndefined();
    expect(JSON.stringify(cut)).toContain("cut the structured content");
    expect(JSON.stringify(cut)).toContain("content of 40 characters left out");
  });

  test("keeps the first items of lists, in the structure and in text, and says so", () => {
    const message = { ...text("[1,2,3]"), structuredContent: { list: [1, 2, 3] } };
    const cut = shown(oblige(message, ["truncate", { max_items: 2 }]));
    expect(cut["structuredContent"]).toEqual({ list: [1, 2] });
    expect(JSON.stringify(cut)).toContain("[1,2]\\n[truncated by policy: 1 lists");
    expect(JSON.stringify(cut)).toContain("cut the structured content");
  });

  test("cuts after what is sensitive was taken out, so that no half of it passes", () => {
    const message = text(`x ${mail}`);
    const cut = oblige(message, ["truncate", { max_characters: 6 }], emails);
    expect(JSON.stringify(shown(cut))).not.toContain("bob");
  });
});

test("a message that is no JSON, or too large to look through, does not pass", () => {
  expect(oblige("{]", emails)).toMatchObject({ ok: false });
  expect(oblige(text("x".repeat(2_200_000)), emails)).toMatchObject({ ok: false });
});

describe("an obligation is refused with", () => {
  const cases: readonly (readonly [string, string, JsonObject])[] = [
    ["an unknown type", "encrypt", {}],
    ["no property", "redact", {}],
    ["an unknown property", "redact", { kinds: ["email"], kind: "email" }],
    ["an unknown kind", "redact", { kinds: ["emails"] }],
    ["an empty list", "redact", { kinds: [] }],
    ["a pattern that RE2 does not know", "redact", { patterns: ["(?=x)"] }],
    ["a pointer without a slash", "redact", { pointers: ["a"] }],
    ["a literal that is empty", "redact", { literals: [""] }],
    ["a literal that is no string", "redact", { literals: [1] }],
    ["no fields", "mask_fields", {}],
    ["a path with nothing in it", "mask_fields", { fields: ["a..b"] }],
    ["a path without a name", "mask_fields", { fields: ["*"] }],
    ["a wrong choice", "mask_fields", { fields: ["a"], text: "drop" }],
    ["no limit", "truncate", {}],
    ["a limit that is no number", "truncate", { max_bytes: "1" }],
    ["a limit below 0", "truncate", { max_items: -1 }],
    ["a channel that the operator has not", "notify", { channel: "pager" }],
  ];

  test.each(cases)("%s", (_, type, properties) => {
    expect(readDuty({ id: "x", type, properties }, none).ok).toBe(false);
  });
});
