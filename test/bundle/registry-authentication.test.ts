import { describe, expect, test } from "vitest";
import { challengeSchemes, readChallenges } from "../../src/bundle/sources/challenge.ts";
import {
  failureMessage,
  loadCrm,
  outcomeOf,
  registryOptions,
  registryWithBundle,
} from "../support/bundle-setting.ts";
import { reply } from "../support/fake-registry.ts";

const credentials = { username: "alice", password: "hunter2-s3cret" };
const registry = registryOptions({ credentials: () => credentials });

async function messageFor(
  status: number,
  challenge: string,
  options = registryOptions(),
): Promise<string> {
  const fake = await registryWithBundle();
  fake.misbehave((_, response) => reply(response, status, { "www-authenticate": challenge }, "no"));
  expect(await outcomeOf(loadCrm(fake.reference, { registry: options }))).toBe(
    "bundle_unauthorized",
  );
  return await failureMessage(loadCrm(fake.reference, { registry: options }));
}

describe("a registry that refuses", () => {
  test("without credentials: the message says where to put them", async () => {
    const message = await messageFor(401, 'Basic realm="r"');
    expect(message).toMatch(/set registries\["127\.0\.0\.1:\d+"\] in the config/);
    expect(message).toMatch(/run mcp-gateway login 127\.0\.0\.1:\d+/);
  });

  test("these credentials: the message says so and does not repeat them", async () => {
    const message = await messageFor(401, 'Basic realm="r"', registry);
    expect(message).toContain("user name or password");
    expect(message).not.toContain("hunter2");
    expect(message).not.toContain("alice");
  });

  test("in a way that nobody here knows: the message says so", async () => {
    expect(await messageFor(401, "Negotiate", registry)).toContain("no way to sign in");
  });

  test("by 403 is not asked again", async () => {
    const fake = await registryWithBundle();
    fake.misbehave((_, response) => reply(response, 403));
    expect(await outcomeOf(loadCrm(fake.reference, { registry }))).toBe("bundle_unauthorized");
    expect(fake.requests).toHaveLength(1);
  });

  test("and echoes what we sent has its words left out, its error codes kept", async () => {
    const fake = await registryWithBundle();
    fake.misbehave(({ headers }, response) => {
      const challenge = { "www-authenticate": 'Basic realm="r"' };
      if (headers.authorization === undefined) return reply(response, 401, challenge);
      const message = `no ${headers.authorization} hunter2-s3cret \u001b[31m`;
      return reply(response, 418, {}, JSON.stringify({ errors: [{ code: "DENIED", message }] }));
    });
    const message = await failureMessage(loadCrm(fake.reference, { registry }));
    expect(message).toContain("status 418");
    expect(message).not.toContain("hunter2");
    expect(message).not.toContain("Basic ");
    expect(message).not.toContain("\u001b");
  });

  test("by GET has its error codes repeated", async () => {
    const fake = await registryWithBundle();
    const body = '{"errors":[{"code":"NAME_UNKNOWN","message":"x"}]}';
    fake.misbehave(({ method }, response) => method === "GET" && reply(response, 404, {}, body));
    expect(await failureMessage(loadCrm(fake.reference))).toContain("status 404 NAME_UNKNOWN");
  });

  test("with an error code that is none has it left out", async () => {
    const fake = await registryWithBundle();
    const body = '{"errors":[{"code":"hunter2 \u001b[31m","message":"x"}]}';
    fake.misbehave(({ method }, response) => method === "GET" && reply(response, 404, {}, body));
    expect(await failureMessage(loadCrm(fake.reference))).toMatch(/found status 404$/);
  });
});

describe("a challenge", () => {
  test.each([
    ['Basic realm="r"', ["basic"]],
    ['Bearer realm="https://a/token",service="s",scope="repository:a:pull"', ["bearer"]],
    ['Bearer realm="x", Basic realm="y"', ["bearer", "basic"]],
    ['BASIC realm="r"', ["basic"]],
    ['Bearer realm="say \\"Basic\\" , Basic realm"', ["bearer"]],
    ["Negotiate", ["negotiate"]],
    ["Negotiate, Basic realm=x", ["negotiate", "basic"]],
    [undefined, []],
    ["", []],
  ])("%s offers %j", (header, schemes) => {
    expect(challengeSchemes(header)).toEqual(new Set(schemes));
  });

  test("has parameters, quoted or not, and each counts once", () => {
    const header =
      'Bearer realm="https://a/t?x=1,2",service="say \\"s\\"",scope=pull,REALM="https://evil/t"';
    const [bearer] = readChallenges(header);
    expect(Object.fromEntries(bearer?.parameters ?? [])).toEqual({
      realm: "https://a/t?x=1,2",
      service: 'say "s"',
      scope: "pull",
    });
  });

  test("of a megabyte is read in no time", () => {
    const before = process.cpuUsage();
    readChallenges(`Bearer realm="${'\\"'.repeat(500_000)}`);
    readChallenges("a=".repeat(500_000));
    expect(process.cpuUsage(before).user).toBeLessThan(5_000_000);
  });
});
