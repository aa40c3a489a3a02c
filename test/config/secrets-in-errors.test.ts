import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { load, minimal, refusal, server, writeConfig } from "./support.ts";
import { ConfigError } from "../../src/config/config-error.ts";
import { loadConfig } from "../../src/config/load-config.ts";

const secret = "sk-live-4f9a1c";

/** A configuration with a secret wherever one can be, correct and misplaced. */
const text = `{
  "agent": { "id": "a" }, "user": { "id": "u" }, // ${secret}
  "servers": {
    "crm": {
      "command": "node", "args": ["--token", "${secret}", "${secret}"], /* ${secret} */
      "env": { "TOKEN": "${secret}", "OTHER": "\${env:SECRET}" }, "policy": "oci://r.example/x:1",
      "description": "${secret}", "timeout": "${secret}"
    },
    "web": {
      "url": "https://x/mcp", "headers": { "Authorization": "Bearer ${secret}" },
      "oauth": { "client_id": "c", "client_secret": "${secret}" }
    }
  },
  "state_key": "${secret} of 32 characters at least",
  "decisions": { "store": "postgres://u:${secret}@db/x" },
  "registries": { "r.example": { "username": "${secret}", "password": "${secret}" } }
}`;

/** Everything a person or a program may see of an error. */
function everythingSaid(run: () => unknown): string {
  try {
    run();
    return "";
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return `${error.message}\n${error.stack}\n${JSON.stringify(error.problems)}`;
  }
}

describe("a secret never appears in an error", () => {
  test.each<[string, object]>([
    ["a store of an unknown kind", { decisions: { store: `mysql://u:${secret}@db` } }],
    ["a store of an unknown kind from a variable", { decisions: { store: "${env:SECRET}" } }],
    ["a password of a wrong type", { registries: { r: { username: secret, password: [secret] } } }],
    ["a misspelt password", { registries: { r: { username: "u", pasword: secret } } }],
    [
      "a wrong type beside a secret argument",
      { servers: { crm: { ...server, args: [secret, 5] } } },
    ],
    ["an argument in place of the list", { servers: { crm: { ...server, args: secret } } }],
    ["a misspelt env", { servers: { crm: { ...server, envv: { TOKEN: secret } } } }],
    ["a nested variable", { servers: { crm: { ...server, env: { TOKEN: { a: secret } } } } }],
    [
      "headers of a refused server",
      { servers: { crm: { command: "x", url: `https://x/${secret}`, headers: { a: secret } } } },
    ],
    [
      "credentials in a reference",
      { servers: { crm: { ...server, policy: `oci://u:${secret}@h/x:1` } } },
    ],
    ["an unknown reference", { servers: { crm: { ...server, policy: secret } } }],
    ["credentials in a URL", { servers: { crm: { url: `https://u:${secret}@x/mcp` } } }],
    ["a secret in a malformed URL", { servers: { crm: { url: `htp://x/?key=${secret}` } } }],
    [
      "a header of a wrong type",
      { servers: { crm: { url: "https://x", headers: { a: [secret] } } } },
    ],
    [
      "a misspelt client secret",
      { servers: { crm: { url: "https://x", oauth: { client_secrt: secret } } } },
    ],
    [
      "a client secret of a wrong type",
      { servers: { crm: { url: "https://x", oauth: { client_secret: [secret] } } } },
    ],
    ["a key that is too short", { state_key: secret }],
    [
      "a token in place of its digest",
      {
        http: {
          authorization: { tokens: [{ sha256: secret, agent: { id: "a" }, user: { id: "u" } }] },
        },
      },
    ],
    ["a secret under an unknown key", { api_key: secret, token: { value: secret } }],
    ["a secret as a number of a wrong place", { servers: { crm: { ...server, command: 49_182 } } }],
  ])("%s", (_, part) => {
    const said = everythingSaid(() => load({ ...minimal, ...part }, { SECRET: secret }));
    expect(said).not.toBe("");
    expect(said).not.toContain(secret);
    expect(said).not.toContain("49182");
  });

  test("the file itself loads, so that the damage below is the only problem", () => {
    const { transport } = load(text, { SECRET: secret }).config.servers.get("crm") ?? {};
    expect(transport).toMatchObject({ env: { OTHER: secret } });
  });

  test("whatever character is lost or added outside of it", () => {
    const path = writeConfig("{}");
    const marks = fc.constantFrom(
      "",
      '"',
      "\\",
      ":",
      ",",
      "{",
      "}",
      "[",
      "]",
      "x",
      "\n",
      "/",
      "*",
      "$",
    );
    const property = fc.property(fc.nat(text.length - 1), marks, fc.boolean(), (at, mark, keep) => {
      const damaged = text.slice(0, at) + mark + text.slice(at + (keep ? 0 : 1));
      fc.pre(damaged.split(secret).length === text.split(secret).length);
      writeConfig(damaged, path.slice(0, path.lastIndexOf("/")));
      expect(everythingSaid(() => loadConfig({ path, env: {} }))).not.toContain(secret);
    });
    fc.assert(property, { numRuns: 2000 });
  });

  test("a syntax error shows its line with keys and without values", () => {
    const error = refusal(() => load(`{ "env": { "TOKEN": "${secret}" "B": 5 } }`));
    expect(error.problems[0]?.excerpt).toEqual({
      text: '{ "env": { "TOKEN": "…" "…": … } }',
      caret: 24,
    });
  });

  test("a wrong type shows its line without comments and without values of secret places", () => {
    const text = `{ ...REST, "decisions": { "store": "${secret}", "durability": "no" } // x`;
    const rest = JSON.stringify(minimal).slice(1, -1);
    const error = refusal(() => load(`${text.replace("...REST,", `${rest},\n`)}\n}`));
    expect(error.problems[1]?.excerpt).toEqual({
      text: ' "decisions": { "store": "…", "durability": "no" }',
      caret: 44,
    });
  });
});
