import { readFile, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { runCli } from "../../support/cli-run.ts";
import { indexType, reply, startFakeRegistry, sha256 } from "../../support/fake-registry.ts";
import { policySources, writeSources } from "../../support/policy-folder.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const reportType = "application/vnd.mcp-gateway.test-report.v1+json";

async function workFolder(passes = true) {
  const folder = temporaryFolder();
  const sources = await writeSources(join(folder, "crm"), policySources(passes));
  const env = {
    HOME: folder,
    XDG_CACHE_HOME: join(folder, "cache"),
    PATH: process.env["PATH"] ?? "",
  };
  const cli = async (...args: readonly string[]) => await runCli(args, folder, env);
  const inspect = async (reference: string) => {
    const { out, err } = await cli("bundle", "inspect", reference, "-o", "json");
    return { err, ...JSON.parse(out) };
  };
  return { folder, sources, cli, inspect };
}

async function startRegistry() {
  const registry = await startFakeRegistry();
  onTestFinished(registry.close);
  return { ...registry, reference: `oci://${registry.host}/policies/crm:1.0` };
}

describe("a pushed bundle", () => {
  test("has its test report and provenance beside it, in a layout and a registry", async () => {
    const { cli, inspect, sources } = await workFolder();
    const registry = await startRegistry();
    for (const reference of ["oci-layout:dist:crm", registry.reference]) {
      const pushed = await cli("bundle", "push", sources, reference, "-o", "json");
      expect(pushed).toMatchObject({ exitCode: 0, err: "" });
      const { digest, attached } = JSON.parse(pushed.out);
      const { referrers } = await inspect(reference);
      expect(referrers).toMatchObject({
        signatures: [],
        test_reports: [
          {
            manifest: attached[0].digest,
            subject: digest,
            outcome: "passed",
            tests: [{ name: "mcp.crm_test.test_a_call_is_allowed", outcome: "pass" }],
            coverage_percent: 100,
            toolchain: { opa: "1.22.2" },
          },
        ],
        provenance: [{ manifest: attached[1].digest, subject: digest }],
        others: [],
      });
      const [{ buildDefinition }] = referrers.provenance;
      const names = buildDefinition.resolvedDependencies.map(({ name }: { name: string }) => name);
      expect(names).toEqual([".manifest", "policy.rego", "policy_test.rego"]);
      const rego = sha256(await readFile(join(sources, "policy.rego"))).slice("sha256:".length);
      expect(buildDefinition.resolvedDependencies[1].digest).toEqual({ sha256: rego });
    }
  }, 180_000);

  test("has no more beside it when it is pushed again, and is found without a tag", async () => {
    const { cli, inspect, sources } = await workFolder();
    const registry = await startRegistry();
    for (const reference of ["oci-layout:dist:crm", registry.reference]) {
      const first = await cli("bundle", "push", sources, reference, "-o", "json");
      expect((await cli("bundle", "push", sources, reference, "-o", "json")).out).toBe(first.out);
      const { test_reports, provenance } = (await inspect(reference)).referrers;
      expect([test_reports.length, provenance.length]).toEqual([1, 1]);
    }
    expect(await cli("bundle", "pull", "oci-layout:dist")).toMatchObject({ exitCode: 0 });
  }, 180_000);

  test("has the same digests on another day, in another place, with other times and rights", async () => {
    const { cli, folder, sources } = await workFolder();
    const push = async (from: string) =>
      JSON.parse((await cli("bundle", "push", from, "oci-layout:dist:crm", "-o", "json")).out);
    const first = await push(sources);
    const umask = process.umask(0o077);
    const zone = process.env["TZ"];
    vi.useFakeTimers({ toFake: ["Date"], now: new Date("2031-02-03T04:05:06Z") });
    try {
      process.env["TZ"] = "Pacific/Kiritimati";
      const other = await writeSources(join(folder, "some", "where else"));
      await utimes(join(other, "policy.rego"), 1, 1);
      expect(await push(other)).toEqual(first);
    } finally {
      vi.useRealTimers();
      process.umask(umask);
      if (zone === undefined) delete process.env["TZ"];
      else process.env["TZ"] = zone;
    }
  }, 180_000);

  test("whose tests fail is not pushed, unless untested, which its report says", async () => {
    const { cli, inspect, sources } = await workFolder(false);
    const refused = await cli("bundle", "push", sources, "oci-layout:dist:crm");
    expect(refused).toMatchObject({ exitCode: 4, out: "" });
    expect(refused.err).toContain("mcp.crm_test.test_a_call_is_allowed");
    expect(refused.err).toContain("[bundle_tests_failed]");
    expect(await cli("bundle", "pull", "oci-layout:dist:crm")).toMatchObject({ exitCode: 7 });
    const untested = await cli("bundle", "push", sources, "oci-layout:dist:crm", "--no-test");
    expect(untested).toMatchObject({ exitCode: 0, err: "" });
    const { referrers } = await inspect("oci-layout:dist:crm");
    expect(referrers.test_reports).toMatchObject([{ outcome: "not_run", tests: [] }]);
  }, 180_000);

  test("as an archive that ships no tests says so, and is its own material", async () => {
    const { cli, inspect, sources } = await workFolder(false);
    await cli("bundle", "push", sources, "oci-layout:dist:crm", "--no-test");
    await cli("bundle", "pull", "oci-layout:dist:crm", "-f", "crm.tar.gz");
    const again = await cli("bundle", "push", "crm.tar.gz", "oci-layout:other:crm", "-o", "json");
    expect(again).toMatchObject({ exitCode: 0, err: "" });
    // What is compiled leaves tests out.
    const { archive, referrers } = await inspect("oci-layout:other:crm");
    expect(referrers.test_reports).toMatchObject([{ outcome: "no_tests" }]);
    const [{ buildDefinition }] = referrers.provenance;
    const sha = archive.digest.slice("sha256:".length);
    expect(buildDefinition).toMatchObject({
      externalParameters: { made_from: "archive" },
      resolvedDependencies: [{ name: "bundle.tar.gz", digest: { sha256: sha } }],
    });
  }, 180_000);

  test("has nothing beside it with --no-attest", async () => {
    const { cli, inspect, sources } = await workFolder();
    await cli("bundle", "push", sources, "oci-layout:dist:crm", "--no-attest");
    const { referrers } = await inspect("oci-layout:dist:crm");
    expect(referrers).toEqual({ signatures: [], test_reports: [], provenance: [], others: [] });
  }, 180_000);
});

describe("what others put beside a bundle", () => {
  test("is not shown as a report or provenance of it when it is not", async () => {
    const { cli, inspect, sources } = await workFolder();
    const registry = await startRegistry();
    const pushed = await cli("bundle", "push", sources, registry.reference, "-o", "json");
    const { digest } = JSON.parse(pushed.out);
    const empty = {
      mediaType: "application/vnd.oci.empty.v1+json",
      digest: sha256(Buffer.from("{}")),
      size: 2,
    };
    const attach = (subject: string, artifactType: string, text: string) => {
      const bytes = Buffer.from(text);
      const layer = {
        mediaType: artifactType,
        digest: registry.putBlob(bytes),
        size: bytes.length,
      };
      const named = {
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        digest: subject,
        size: 1,
      };
      const base = { schemaVersion: 2, config: empty, artifactType, layers: [layer] };
      return registry.putManifest(artifactType + text, { ...base, subject: named });
    };
    const elsewhere = attach(`sha256:${"0".repeat(64)}`, reportType, "{}");
    const broken = attach(digest, reportType, '{"outcome":"brilliant"}');
    const statement = { _type: "https://in-toto.io/Statement/v1", subject: [], predicate: {} };
    const odd = attach(digest, "application/vnd.in-toto+json", JSON.stringify(statement));
    const sbom = attach(digest, "application/spdx+json", "{}");
    const tag = digest.replace(":", "-");
    const index = JSON.parse(String(registry.manifests.get(tag)?.bytes));
    const more = [elsewhere, broken, odd, sbom, `sha256:${"1".repeat(64)}`].map((one) => {
      return { mediaType: "application/vnd.oci.image.manifest.v1+json", digest: one, size: 1 };
    });
    registry.putManifest(tag, { ...index, manifests: [...more, ...index.manifests] }, indexType);
    const { referrers } = await inspect(registry.reference);
    expect([referrers.test_reports.length, referrers.provenance.length]).toEqual([1, 1]);
    const others = referrers.others.map(({ manifest }: { manifest: string }) => manifest);
    expect(others).toEqual([broken, odd, sbom]);
  }, 180_000);

  test("is null, with a warning, where the registry does not say", async () => {
    const { cli, inspect, sources } = await workFolder();
    const registry = await startRegistry();
    const { out } = await cli("bundle", "push", sources, registry.reference);
    await cli("bundle", "pull", out);
    registry.misbehave((_, response) => reply(response, 403));
    const { err, name, referrers } = await inspect(out);
    expect([name, referrers]).toEqual(["crm", null]);
    expect(err).toContain("warning: what refers to it cannot be read");
  }, 180_000);
});

describe("bundle pull --file FOLDER/", () => {
  test("writes the files, which build to the same bundle, and mixes nothing", async () => {
    const { cli, folder, sources } = await workFolder();
    const { out } = await cli("bundle", "push", sources, "oci-layout:dist:crm");
    expect(await cli("bundle", "pull", out, "-f", "pulled/")).toMatchObject({ exitCode: 0 });
    const rego = await readFile(join(folder, "pulled", "policy.rego"), "utf8");
    expect(rego).toBe(await readFile(join(sources, "policy.rego"), "utf8"));
    const again = await cli("bundle", "pull", out, "-f", "pulled/");
    expect(again).toMatchObject({ exitCode: 2, out: "" });
    expect(again.err).toContain("new or empty");
    const noSlash = await cli("bundle", "pull", out, "-f", "pulled");
    expect(noSlash).toMatchObject({ exitCode: 1, out: "" });
    expect(noSlash.err).toContain("needs a slash at its end");
    await rm(join(folder, "pulled"), { recursive: true });
    await writeFile(join(folder, "pulled"), "");
    expect(await cli("bundle", "pull", out, "-f", "pulled/")).toMatchObject({ exitCode: 1 });
  }, 180_000);
});
