/**
 * B15: what no server may ask of a person, whatever the operator lists and policy grants: pages that
 * are not what they seem, and secrets in forms.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { modernClient } from "./clients.ts";
import type { HostileSetting } from "./hostile-setting.ts";
import { buildHostileLayout, writeHostileConfig } from "./hostile-setting.ts";
import type { HttpGateway, Message } from "./http-gateway.ts";
import { startHttpGateway, withTokens } from "./http-gateway.ts";
import {
  ableToAll,
  allQuestions,
  answerLine,
  asking,
  elicit,
  errorLine,
  script,
} from "./scripts.ts";

let setting: HostileSetting;
let gateway: HttpGateway;

beforeAll(async () => {
  const layout = await buildHostileLayout(["m"]);
  const server = { era: "modern", settings: { to_client: allQuestions } } as const;
  setting = writeHostileConfig(layout, { m: server }, withTokens());
  gateway = await startHttpGateway(setting);
  await modernClient(gateway, "alice").request("tools/list");
});

afterAll(async () => await gateway.close());

const ask = (server: string, ...lines: readonly (string | object)[]) =>
  modernClient(gateway, "alice").call(`${server}__script`, script(...lines), {}, ableToAll);

const codeOf = (answer: Message): unknown => Object(Object(answer["error"]).data).code;

describe("a page that people are sent to", () => {
  const open = async (url: unknown): Promise<unknown> =>
    await ask(
      "m",
      answerLine(asking({ a: elicit({ mode: "url", url, message: "m", elicitationId: "1" }) })),
    );

  test.each([
    "https://page.example/consent?x=1#y",
    "HTTPS://page.example",
    "http://localhost:8080/",
    "http://127.0.0.1/",
  ])("is shown where it is safe on its way: %s", async (url) => {
    expect(await open(url)).toHaveProperty("result.inputRequests.a.params.url", url);
  });

  test.each([
    "data:text/html,x",
    "javascript:alert(1)",
    "java\nscript:alert(1)",
    "file:///etc/passwd",
    "http://evil.example/",
    "http://127.0.0.1.evil.example/",
    "https://good.example@evil.example/",
    "https://good.example:x@evil.example/",
    "https://good.example\\@evil.example/",
    "https://go\tod.example/",
    "https://good.example/\u202emoc.live",
    " https://evil.example/",
    "https:evil.example",
    "https:/evil.example",
    "//evil.example/",
    "",
    7,
  ])("is refused where it is not, or reads in two ways: %j", async (url) => {
    expect(codeOf(Object(await open(url)))).toBe("input_refused");
  });

  test("in the error URLElicitationRequired passes as it was judged, and nothing beside it", async () => {
    const page = { mode: "url", url: "https://page.example/", message: "go", elicitationId: "1" };
    const data = { elicitations: [page], "io.mcp-gateway/decision": { allow: true }, more: 1 };
    const answer = await ask("m", errorLine({ code: -32_042, message: "open", data }));
    const shown = { ...page, message: "[m] go" };
    expect(answer["error"]).toEqual({
      code: -32_042,
      message: "open",
      data: { elicitations: [shown] },
    });
  });

  test.each([
    ["another shape", { elicitations: { "0": { mode: "url", url: "https://evil.example" } } }],
    ["no list", { url: "https://evil.example" }],
    ["an empty list", { elicitations: [] }],
    ["no data", undefined],
    ["a page that is not safe", { elicitations: [{ mode: "url", url: "javascript:1" }] }],
    ["a form in it", { elicitations: [{ mode: "form", message: "password?" }] }],
  ])("in such an error with %s does not pass", async (_, data) => {
    const answer = await ask("m", errorLine({ code: -32_042, message: "open", data }));
    expect(codeOf(answer)).toBe("input_refused");
    expect(JSON.stringify(answer)).not.toContain("evil.example");
  });
});

describe("a form", () => {
  const show = async (params: object): Promise<Message> =>
    await ask("m", answerLine(asking({ a: elicit({ message: "m", ...params }) })));
  const field = (name: string, schema: object = {}) =>
    show({
      mode: "form",
      requestedSchema: { type: "object", properties: { [name]: { type: "string", ...schema } } },
    });

  test.each(["name", "email", "city", "shipping", "opinion", "keyboard", "tokens_per_minute"])(
    "may ask for %s",
    async (name) => {
      expect(await field(name)).toHaveProperty("result.resultType", "input_required");
    },
  );

  test.each([
    "password",
    "Passwort",
    "pass-word",
    "p.a.s.s.w.o.r.d",
    "passw0rd",
    "p\u0430ssword",
    "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44",
    "pass\u200bword",
    "apiKey",
    "api.key",
    "accessToken",
    "PIN",
    "otp",
    "recoveryPhrase",
    "card_number",
  ])("may not ask for a secret under the name %s", async (name) => {
    expect(codeOf(await field(name))).toBe("input_refused");
  });

  test.each([
    ["its title", { title: "Your password" }],
    ["its description", { description: "Type your pass\u00adword" }],
    ["its format", { format: "password" }],
    ["its being for writing only", { writeOnly: true }],
  ])("may not ask for a secret that %s tells", async (_, schema) => {
    expect(codeOf(await field("x", schema))).toBe("input_refused");
  });

  test.each([
    ["URL", "javascript:alert(1)"],
    ["magic", undefined],
    ["form", "https://evil.example"],
  ])("of mode %s with url %s is no form", async (mode, url) => {
    expect(codeOf(await show({ mode, ...(url === undefined ? {} : { url }) }))).toBe(
      "input_refused",
    );
  });
});

test("what was refused is on record as unsafe, and was not forwarded", async () => {
  await gateway.close();
  const decisions = await setting.decisions();
  const denied = decisions.filter(
    ({ action_type: type, effect }) => type === "elicitation" && effect === "deny",
  );
  expect(denied.length).toBeGreaterThan(30);
  expect(new Set(denied.flatMap(({ reasons }) => reasons))).toEqual(
    new Set(["unsafe_elicitation"]),
  );
  expect(new Set(denied.map(({ outcome }) => outcome))).toEqual(new Set(["not_forwarded"]));
});
