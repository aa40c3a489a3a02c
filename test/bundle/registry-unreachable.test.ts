import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { retryAfterMs } from "../../src/bundle/sources/registry-failure.ts";
import {
  failureMessage,
  loadCrm,
  outcomeOf,
  registryOptions,
  registryWithBundle,
} from "../support/bundle-setting.ts";
import { reply } from "../support/fake-registry.ts";

describe("a registry that is busy", () => {
  test.each([429, 502, 503, 504])("with status %i is asked again", async (status) => {
    const registry = await registryWithBundle();
    let left = 2;
    registry.misbehave((_, response) => {
      left -= 1;
      return left >= 0 && reply(response, status);
    });
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("ok");
  });

  test("is asked three times and no more", async () => {
    const registry = await registryWithBundle();
    registry.misbehave((_, response) => reply(response, 503));
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("bundle_unreachable");
    expect(registry.requests).toHaveLength(3);
  });

  test("with status 500 is not asked again", async () => {
    const registry = await registryWithBundle();
    registry.misbehave((_, response) => reply(response, 500));
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("bundle_unreachable");
    expect(registry.requests).toHaveLength(1);
  });

  test("is given the time that it asks for", async () => {
    const registry = await registryWithBundle();
    let askedAt = 0;
    let gap = 0;
    registry.misbehave((_, response) => {
      if (askedAt !== 0) {
        gap ||= performance.now() - askedAt;
        return false;
      }
      askedAt = performance.now();
      return reply(response, 429, { "retry-after": "1" });
    });
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("ok");
    expect(gap).toBeGreaterThan(950);
  });

  test("and asks for an hour is not waited for", async () => {
    const registry = await registryWithBundle();
    registry.misbehave((_, response) => reply(response, 429, { "retry-after": "3600" }));
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("bundle_unreachable");
    expect(registry.requests).toHaveLength(1);
  });

  test("may say when as seconds or as a date", () => {
    expect(retryAfterMs("3", 0)).toBe(3000);
    expect(retryAfterMs("Thu, 01 Jan 1970 00:00:10 GMT", 4000)).toBe(6000);
    expect(retryAfterMs("Thu, 01 Jan 1970 00:00:10 GMT", 60_000)).toBe(0);
    expect(retryAfterMs("soon", 0)).toBeUndefined();
    expect(retryAfterMs(undefined, 0)).toBeUndefined();
  });
});

/** Much longer than any deadline here, and than a machine stands still. */
const patienceMs = 15_000;

describe("a registry that is away", () => {
  test("is an error that names reference, address and reason", async () => {
    const registry = await registryWithBundle();
    await registry.close();
    const message = await failureMessage(loadCrm(registry.reference));
    expect(message).toContain(registry.reference);
    expect(message).toContain(registry.origin);
    expect(message).toContain("ECONNREFUSED");
  });

  test("for a moment, in the middle of a layer, is asked again", async () => {
    const registry = await registryWithBundle();
    let left = 1;
    registry.misbehave(({ path }, response) => {
      if (!path.includes("/blobs/") || left === 0) return false;
      left -= 1;
      response.writeHead(200, { "content-length": "1000" });
      response.write("half");
      setImmediate(() => response.destroy());
      return true;
    });
    expect(await outcomeOf(loadCrm(registry.reference))).toBe("ok");
    expect(left).toBe(0);
  });

  test("in that it accepts and never answers, is given up in time", async () => {
    const registry = await registryWithBundle();
    registry.misbehave(() => true);
    const options = registryOptions({ stepTimeoutMs: 200, deadlineMs: 1000 });
    const startedMs = performance.now();
    expect(await outcomeOf(loadCrm(registry.reference, { registry: options }))).toBe(
      "bundle_unreachable",
    );
    expect(performance.now() - startedMs).toBeLessThan(patienceMs);
  });

  test("in that it sends a byte now and then, is given up at the deadline", async () => {
    const registry = await registryWithBundle();
    registry.misbehave(({ method, path }, response) => {
      if (method !== "GET" || !path.includes("/blobs/")) return false;
      response.writeHead(200);
      const drip = async (): Promise<void> => {
        while (!response.destroyed) {
          response.write("x");
          await sleep(20);
        }
      };
      void drip();
      return true;
    });
    const options = registryOptions({ deadlineMs: 700 });
    const startedMs = performance.now();
    const message = await failureMessage(loadCrm(registry.reference, { registry: options }));
    expect(message).toContain("deadline");
    expect(performance.now() - startedMs).toBeLessThan(patienceMs);
  });

  test("is asked over https where it is another machine", async () => {
    const options = registryOptions({ stepTimeoutMs: 300, deadlineMs: 500 });
    const message = await failureMessage(
      loadCrm("oci://registry.invalid/a/b:v1", { registry: options }),
    );
    expect(message).toContain("https://registry.invalid");
  });
});
