import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileTemplate, matchesTemplate } from "../../../src/mcp/catalog/match-template.ts";

function matches(template: string, uri: string): boolean {
  const compiled = compileTemplate(template);
  if (!compiled.ok) throw new Error(compiled.reason);
  return matchesTemplate(compiled.pattern, uri);
}

describe("a URI template", () => {
  test.each([
    ["test://template/{id}/data", "test://template/123/data"],
    ["file:///{+path}", "file:///a/b c/ü"],
    ["file:///{path*}", "file:///a"],
    ["x:{a}{b}", "x:ab"],
    ["x:{a,b}", "x:1,2"],
    ["x:{/a,b}", "x:/1/2"],
    ["x:{/a}", "x:"],
    ["x:y{?q,r}", "x:y?q=1&r=/2"],
    ["x:y{?q}", "x:y"],
    ["x:y?z=1{&q}", "x:y?z=1&q=2"],
    ["x:y{#f}", "x:y#/a/b"],
    ["x:y{.ext}", "x:y.tar.gz"],
    ["x:y{;p}", "x:y;p=1"],
    ["x:{user-id}:1", "x:7:1"],
    ["x:{a:3}", "x:abc"],
    ["static:no-variable", "static:no-variable"],
  ])("%s matches %s", (template, uri) => expect(matches(template, uri)).toBe(true));

  test.each([
    ["test://template/{id}/data", "test://template/1/2/data"],
    ["test://template/{id}/data", "test://template//data"],
    ["test://template/{id}/data", "test://template/1/DATA"],
    ["test://template/{id}", "test://Template/1"],
    ["file:///{+path}", "file:///"],
    ["file:///{+path}", "file://"],
    ["x:{a}", "y:x:a"],
    ["x:y{?q}", "x:yz"],
    ["x:y{?q}", "x:y?q=1#f"],
    ["x:y{.ext}", "x:y/etc"],
    ["a.c:{x}", "abc:1"],
    ["static:no-variable", "static:no-variable/1"],
  ])("%s does not match %s", (template, uri) => expect(matches(template, uri)).toBe(false));

  test("matches what it expands to", () => {
    const value = fc.stringMatching(/^[A-Za-z0-9._~-]{1,8}$/);
    const literal = fc.stringMatching(/^[a-z:.]{0,6}$/);
    const part = fc.tuple(literal, fc.constantFrom("", "+"), value);
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), (parts) => {
        const template = parts.map(([text, operator]) => `${text}{${operator}v}`).join("");
        const uri = parts.map(([text, , expansion]) => `${text}${expansion}`).join("");
        expect(matches(template, uri)).toBe(true);
      }),
    );
  });

  test("agrees with the regular expression that it stands for", () => {
    const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
    const part = fc.tuple(fc.constantFrom("", "/", "a", "ab"), fc.constantFrom("{v}", "{+v}", ""));
    const uri = fc
      .array(fc.constantFrom("a", "b", "/"), { maxLength: 8 })
      .map((all) => all.join(""));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), uri, (parts, text) => {
        const template = parts.flat().join("");
        fc.pre(template !== "");
        const source = parts
          .map(
            ([literal, variable]) =>
              `${escaped(literal)}${{ "{v}": "[^/]+", "{+v}": ".+", "": "" }[variable] ?? ""}`,
          )
          .join("");
        expect(matches(template, text)).toBe(new RegExp(`^${source}$`).test(text));
      }),
      { numRuns: 1000 },
    );
  });

  test("made to hang a backtracking matcher is answered at once, as is a URI that is too long", () => {
    const evil = "{a}x".repeat(16);
    expect(matches(evil, `${"x".repeat(4000)}!`)).toBe(false);
    expect(matches("x:{+a}", `x:${"y".repeat(4095)}`)).toBe(false);
  });

  test.each([
    ["x:{", "RFC 6570"],
    ["x:{}", "RFC 6570"],
    ["x:}", "RFC 6570"],
    ["x:{=a}", "RFC 6570"],
    ["x:{a{b}}", "RFC 6570"],
    ["x:\n{a}", "RFC 6570"],
    ["", "1 to 1024"],
    ["x".repeat(1025), "1 to 1024"],
    ["{a}".repeat(17), "16 variables"],
  ])("%j is refused", (template, reason) => {
    const compiled = compileTemplate(template);
    expect(compiled.ok ? "" : compiled.reason).toContain(reason);
  });
});
