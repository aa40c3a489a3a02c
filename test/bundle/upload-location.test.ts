import { describe, expect, onTestFinished, test } from "vitest";
import { pushBundle } from "../../src/bundle/push-bundle.ts";
import type { PushedBundle } from "../../src/bundle/push-bundle.ts";
import { parseReference } from "../../src/bundle/reference.ts";
import { codeOf } from "../../src/errors.ts";
import { loadCrm, outcomeOf, registryOptions } from "../support/bundle-setting.ts";
import { reply, startFakeRegistry } from "../support/fake-registry.ts";
import type { FakeRegistry } from "../support/fake-registry.ts";
import { tinyFiles } from "../support/tiny-bundle.ts";

async function emptyRegistry(): Promise<FakeRegistry> {
  const registry = await startFakeRegistry();
  onTestFinished(registry.close);
  return registry;
}

async function push({ host }: FakeRegistry): Promise<PushedBundle> {
  const reference = parseReference(`oci://${host}/policies/crm:v1`);
  return await pushBundle(tinyFiles(), reference, { registry: registryOptions() });
}

async function codeOfPush(registry: FakeRegistry): Promise<string | undefined> {
  return await push(registry).then(() => "ok", codeOf);
}

describe("a push", () => {
  test("uploads each blob once, then the manifest, and can be pulled", async () => {
    const registry = await emptyRegistry();
    const pushed = await push(registry);
    const methods = registry.requests.map(({ method }) => method).join(" ");
    expect(methods).toBe("HEAD POST PUT HEAD POST PUT PUT");
    expect(await outcomeOf(loadCrm(pushed.reference))).toBe("ok");
  });

  test("of what is there already uploads no blob", async () => {
    const registry = await emptyRegistry();
    await push(registry);
    registry.requests.length = 0;
    await push(registry);
    expect(registry.requests.map(({ method }) => method)).toEqual(["HEAD", "HEAD", "PUT"]);
  });

  test("keeps what the upload location carries in its query", async () => {
    const registry = await emptyRegistry();
    await push(registry);
    const put = registry.requests.find(({ method }) => method === "PUT");
    expect(put?.path).toMatch(/^\/v2\/upload\/1\?state=x&digest=sha256%3A/);
  });

  test("does not follow an upload location to another origin", async () => {
    const registry = await emptyRegistry();
    const thief = await emptyRegistry();
    for (const location of [
      `${thief.origin}/v2/upload/1?state=x`,
      `https://${registry.host}/v2/upload/1?state=x`,
      `http://alice:x@${registry.host}/v2/upload/1?state=x`,
      "http://",
    ]) {
      registry.misbehave(
        ({ method }, response) => method === "POST" && reply(response, 202, { location }),
      );
      expect(await codeOfPush(registry)).toBe("bundle_redirect_refused");
    }
    registry.misbehave(({ method }, response) => method === "POST" && reply(response, 202));
    expect(await codeOfPush(registry)).toBe("bundle_redirect_refused");
    expect(thief.requests).toEqual([]);
  });

  test.each(["POST", "PUT"])("does not follow a redirect of a %s request", async (wanted) => {
    const registry = await emptyRegistry();
    const thief = await emptyRegistry();
    registry.misbehave(({ method, path }, response) => {
      if (method !== wanted) return false;
      return reply(response, 307, { location: `${thief.origin}${path}` });
    });
    expect(await codeOfPush(registry)).toBe("bundle_redirect_refused");
    expect(thief.requests).toEqual([]);
  });

  test("fails where the registry says that it stored something else", async () => {
    const registry = await emptyRegistry();
    registry.misbehave(({ method, path }, response) => {
      if (method !== "PUT" || !path.includes("/manifests/")) return false;
      return reply(response, 201, { "docker-content-digest": `sha256:${"0".repeat(64)}` });
    });
    expect(await codeOfPush(registry)).toBe("bundle_digest_mismatch");
  });

  test("fails where the registry refuses blob or manifest", async () => {
    for (const refused of ["/uploads/", "/upload/1", "/manifests/"]) {
      const registry = await emptyRegistry();
      registry.misbehave(
        ({ path }, response) => path.includes(refused) && reply(response, 403, {}, "no"),
      );
      expect(await codeOfPush(registry)).toBe("bundle_unauthorized");
    }
  });

  test("to a digest or a folder is refused", async () => {
    for (const text of [`oci://h.example/a:v1@sha256:${"0".repeat(64)}`, "file:/tmp/x"]) {
      const pushed = pushBundle(tinyFiles(), parseReference(text), { registry: registryOptions() });
      expect(await pushed.then(() => "ok", codeOf)).toBe("bundle_reference_invalid");
    }
  });
});
