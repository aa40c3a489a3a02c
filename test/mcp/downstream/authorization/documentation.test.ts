/**
 * `docs/authorization.md` says what the code does: its reasons, its snippets, its command.
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { parse } from "jsonc-parser";
import { expect, test } from "vitest";
import { configSchema } from "../../../../src/config/config-schema.ts";
import { issuerConfig, setUp } from "./support.ts";

const page = readFileSync(new URL("../../../../docs/authorization.md", import.meta.url), "utf8");
const source = readFileSync(
  new URL("../../../../src/mcp/downstream/authorization/authentication.ts", import.meta.url),
  "utf8",
).replaceAll(/\/\*\*.*?\*\//gs, "");

function blocks(language: string): readonly string[] {
  const fence = new RegExp(`^ *\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\`$`, "gm");
  return [...page.matchAll(fence)].map((match) => match[1] ?? "");
}

test("every reason has one row that says what to do", () => {
  const union = /export type RefusalReason =([^;]+);/.exec(source)?.[1] ?? "";
  const reasons = [...union.matchAll(/"([a-z_]+)"/g)].map((match) => match[1] ?? "");
  const documented = [...page.matchAll(/^\| `([a-z]+_[a-z_]+)` \| (?:401|403|503) \|/gm)];
  expect(reasons.length).toBeGreaterThan(15);
  const rows = documented.map((match) => match[1]);
  expect(rows).toEqual(reasons.toSorted((a, b) => (a < b ? -1 : 1)));
});

test("the snippets are configurations that the gateway accepts", () => {
  const snippets = blocks("json");
  expect(snippets).toHaveLength(2);
  for (const snippet of snippets) {
    const config: unknown = {
      agent: { id: "a" },
      user: { id: "u" },
      servers: {},
      ...parse(`{${snippet}}`),
    };
    expect(configSchema.safeParse(config)).toMatchObject({ success: true });
  }
});

test("the command makes a token that its digest lets in", async () => {
  const command = blocks("sh")[0] ?? "";
  const { stdout } = await promisify(execFile)("sh", ["-c", command]);
  const [, token = "", sha256 = ""] = /^token {2}(\w{64})\nsha256 (\w{64})\n$/.exec(stdout) ?? [];
  const identity = { version: null, scope: null, owner_team: null, model: null, parent: null };
  const { authenticate } = setUp({
    tokens: [
      {
        sha256,
        agent: { id: "ci", ...identity, authenticated: true },
        user: { id: "alice", groups: [], data_classifications_authorized: [] },
        servers: undefined,
      },
    ],
  });
  expect(await authenticate(token)).toMatchObject({ ok: true });
});

test("the challenge is the one that the gateway answers", async () => {
  const { authenticator } = setUp({ issuers: [issuerConfig("https://idp.example/tenant")] });
  const answer = await authenticator.authenticate({ authorization: undefined });
  if (answer.ok || answer.status === 503) throw new Error("expected a challenge");
  expect(page).toContain(`WWW-Authenticate: ${answer.wwwAuthenticate}`);
});
