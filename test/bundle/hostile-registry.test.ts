/**
 * One hostile registry for each row of the threat table: it gets a login, another host records all
 * that reaches it, and nothing may come of it: no bundle, no credential elsewhere, no secret in what
 * is said. What else defends a row is listed with it, and the list is checked.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { loadCrm, registryOptions, registryWithBundle } from "../support/bundle-setting.ts";
import { startFakeRegistry } from "../support/fake-registry.ts";
import { hostileAnswers } from "../support/hostile-answers.ts";
import { hostileContent } from "../support/hostile-content.ts";
import { basic, password, secrets, username, whenSigned } from "../support/hostile-registry.ts";
import type { Hostility } from "../support/hostile-registry.ts";
import { createTestLog } from "../support/log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const rows = [...hostileAnswers, ...hostileContent];

/** A hostile registry with everything that could leak. */
async function meet(hostile: Hostility) {
  const home = await registryWithBundle();
  const attacker = await startFakeRegistry();
  onTestFinished(attacker.close);
  hostile(home, attacker);
  const log = createTestLog();
  const registry = registryOptions({
    credentials: (host) => (host === home.host ? { username, password } : undefined),
    stepTimeoutMs: 500,
    deadlineMs: 5000,
    log,
  });
  const cachePath = join(temporaryFolder(), "cache");
  const result = await loadCrm(home.reference, { registry, cachePath, log });
  return { home, attacker, result, said: inspect([result, log.lines], { depth: 20 }) };
}

describe.each(rows.filter(({ modes }) => modes.length > 0))("$threat", ({ modes }) => {
  test.each(modes)(
    "a registry that %s activates nothing and learns nothing",
    async (_, hostile, code) => {
      const { attacker, result, said } = await meet(hostile);
      expect(result).toMatchObject({ ok: false, error: { code } });
      for (const secret of secrets) {
        expect(JSON.stringify(attacker.requests)).not.toContain(secret);
        expect(said).not.toContain(secret);
      }
      for (const { headers } of attacker.requests) {
        expect(headers.authorization).toBeUndefined();
        expect(headers.cookie).toBeUndefined();
      }
    },
  );
});

describe("the setting of these tests", () => {
  test("lets a registry through that is not hostile, with the login that could leak", async () => {
    const { home, result } = await meet((home) => whenSigned(home, () => false));
    expect(result.ok).toBe(true);
    expect(home.requests.at(-1)?.headers.authorization).toBe(basic);
  });

  test("has tests for each row, and each is there", () => {
    expect(rows).toHaveLength(16);
    for (const { tests } of rows) {
      expect(tests.length).toBeGreaterThan(0);
      for (const name of tests) {
        const path = join("test", "bundle", name);
        expect(existsSync(path), path).toBe(true);
        expect(readFileSync(path, "utf8")).toContain("expect(");
      }
    }
  });
});
