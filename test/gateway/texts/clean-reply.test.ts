import { describe, expect, test } from "vitest";
import { usualTexts } from "../../../src/config/texts-schema.ts";
import { cleanReply } from "../../../src/gateway/texts/clean-reply.ts";
import { readResult } from "../../../src/gateway/action/read-result.ts";

function replyOf(json: string) {
  const result = readResult(Buffer.from(json));
  if (result === undefined) throw new Error("expected a result");
  return { kind: "result", result } as const;
}

const text = (json: string, rules = usualTexts): string => {
  const cleaned = cleanReply(rules, replyOf(json));
  if (!cleaned.ok) return cleaned.code;
  return cleaned.reply.kind === "result" ? cleaned.reply.result.bytes.toString("utf8") : "";
};

describe("an answer", () => {
  test("with nothing hidden in it is the very same one", () => {
    const reply = replyOf(
      String.raw`{ "content":[{"text":"C:\\bin \ud83d\ude00 می‌خواهم"}],"n":1.0}`,
    );
    const cleaned = cleanReply(usualTexts, reply);
    expect(cleaned).toEqual({ ok: true, reply, done: [] });
    expect(cleaned.ok && cleaned.reply).toBe(reply);
  });

  test("is changed in texts and names alone, and what was changed is counted", () => {
    const json =
      '{"content":[{"text":"a\\u001bb"}],"n":12345678901234567890.0,"x":{"k\u202e":"\u202e"}}';
    const cleaned = cleanReply(usualTexts, replyOf(json));
    expect(cleaned).toMatchObject({
      ok: true,
      done: [{ id: "hidden_characters", type: "gateway", changed: 3 }],
    });
    expect(text(json)).toBe(
      String.raw`{"content":[{"text":"a\\u001bb"}],"n":12345678901234567890.0,"x":{"k\\u202e":"\\u202e"}}`,
    );
    expect(text(json, { ...usualTexts, hiddenCharacters: "remove" })).toContain('{"k":""}');
    expect(text(json, { ...usualTexts, hiddenCharacters: "refuse" })).toBe("hidden_characters");
    expect(text(json, { ...usualTexts, hiddenCharacters: "keep" })).toBe(json);
  });

  test("keeps a state that is the server's own, and loses a member whose name hides something", () => {
    const json = '{"requestState":"\u202e","inputRequests":{"\u202e":{}},"a\u202e":1,"b":"\u202e"}';
    expect(text(json)).toBe(
      '{"requestState":"\u202e","inputRequests":{"\u202e":{}},"b":"\\\\u202e"}',
    );
  });

  test("does not pass with a task that is known by something hidden", () => {
    expect(text('{"taskId":"a\u202e"}')).toBe("hidden_characters");
    expect(text('{"task":{"taskId":"a\u202e"}}')).toBe("hidden_characters");
  });

  test("does not pass where its members together hide more than can be taken away", () => {
    const [one, two] = ["\u200b".repeat(200_000), "\u200b".repeat(60_000)];
    expect(text(JSON.stringify({ a: one, b: two }))).not.toBe("hidden_characters");
    expect(text(JSON.stringify({ a: one, b: two, c: two }))).toBe("hidden_characters");
    expect(text(JSON.stringify({ a: one, b: two, c: two, d: 1 }))).toBe("hidden_characters");
  });

  test("does not pass where it is an error that hides something, if that is refused", () => {
    const reply = {
      kind: "error",
      error: { code: -1, message: "a\u001b", data: ["\u202e"] },
    } as const;
    expect(cleanReply(usualTexts, reply)).toMatchObject({
      reply: { error: { code: -1, message: String.raw`a\u001b`, data: [String.raw`\u202e`] } },
    });
    const refuse = { ...usualTexts, hiddenCharacters: "refuse" } as const;
    expect(cleanReply(refuse, reply)).toMatchObject({ ok: false, code: "hidden_characters" });
  });

  test("does not pass where it is too large, to the byte", () => {
    const json = `{"content":[{"text":"${"x".repeat(2000)}"}]}`;
    const limit = { ...usualTexts, maxBytes: json.length };
    expect(text(json, limit)).toBe(json);
    expect(text(json, { ...limit, maxBytes: json.length - 1 })).toBe("result_too_large");
    expect(text(json, { ...limit, maxBytes: 1024, oversize: "truncate" })).toBe(json);
  });
});
