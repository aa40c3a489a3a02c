/**
 * Policies that only refuse, and policies that come compiled alone, behind the gateway's own bin: who
 * is let through, and what the record says of it.
 */
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { openArchive } from "../../src/bundle/archive.ts";
import { pushBundle } from "../../src/bundle/push-bundle.ts";
import { parseReference } from "../../src/bundle/reference.ts";
import { fetchCurrent } from "../../src/bundle/sources/fetch-current.ts";
import { dependencies, registryOptions } from "../support/bundle-setting.ts";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { freshEnvironment, runBin, serveCommand } from "../support/gateway-process.ts";
import { allowAll, buildLayout } from "../support/policy-layout.ts";
import { startRawClient } from "../support/raw-client.ts";

let layout = "";
beforeAll(async () => {
  const denyOnly = 'deny contains "no_numbers" if input.action.args.n == 7';
  layout = await buildLayout({ ok: { rego: denyOnly }, sourced: allowAll });
  const reference = `oci-layout:${layout}:sourced`;
  const { archive } = await fetchCurrent(reference, { kind: "server" }, dependencies());
  const alone = [...openArchive(archive)].filter(([path]) => !path.endsWith(".rego"));
  const target = parseReference(`oci-layout:${layout}:opaque`);
  await pushBundle(withName(new Map(alone), "ok"), target, { registry: registryOptions() });
}, 60_000);

function withName(files: Map<string, Buffer>, name: string): ReadonlyMap<string, Buffer> {
  const manifest = JSON.parse(files.get(".manifest")?.toString() ?? "{}");
  const metadata = { ...manifest.metadata, name };
  return files.set(".manifest", Buffer.from(JSON.stringify({ ...manifest, metadata })));
}

/** Calls once for each argument; what was answered, and what is on record. */
async function callAll(policy: object, settings: object, more: object, ns: readonly number[]) {
  const server = { policy: { bundle: `oci-layout:${layout}:ok`, ...policy }, settings };
  const config = writeFixtureConfig({ ok: server }, more);
  const env = freshEnvironment();
  const client = await startRawClient(serveCommand(config, env));
  onTestFinished(() => void client.child.kill("SIGKILL"));
  const answers: string[] = [];
  for (const n of ns) answers.push(JSON.stringify(await client.call("ok__echo", { n })));
  await client.end();
  const listed = await runBin(["decision", "list", "--config", config, "-o", "json"], env);
  const { items } = JSON.parse(listed.stdout);
  const records: string[] = [];
  // One command after the other, since they share a database.
  for (const { decision_id: id } of items) {
    records.push(
      (await runBin(["decision", "get", id, "--config", config, "-o", "json"], env)).stdout,
    );
  }
  return { answers, record: records.join("\n") };
}

describe("a policy that only refuses", () => {
  test("grants nothing by itself", { timeout: 120_000 }, async () => {
    const { answers } = await callAll({}, {}, {}, [1]);
    expect(answers[0]).toContain("no_rule_allows");
  });

  test(
    "lets the rest pass where the operator says so, on record",
    { timeout: 120_000 },
    async () => {
      const { answers, record } = await callAll({}, { default: "allow" }, {}, [1, 7]);
      expect(answers[0]).not.toContain("isError");
      expect(answers[1]).toContain("no_numbers");
      expect(record).toContain("gateway.default_allow");
    },
  );

  test("lets nothing pass beyond the ceiling", { timeout: 120_000 }, async () => {
    const settings = { default: "allow", ceiling: ["other"] };
    const { answers } = await callAll({}, settings, {}, [1]);
    expect(answers[0]).toContain("no_rule_allows");
  });
});

describe("a policy without sources", () => {
  const bundle = () => ({ bundle: `oci-layout:${layout}:opaque` });

  test("is no policy where nobody accepts it", { timeout: 120_000 }, async () => {
    const { answers } = await callAll(bundle(), {}, {}, [1]);
    expect(answers[0]).toContain("no_policy");
  });

  test(
    "decides where that is accepted, and each record says so",
    { timeout: 120_000 },
    async () => {
      const policy = { ...bundle(), opaque: "accept" };
      const { answers, record } = await callAll(policy, {}, { profile: "trial" }, [1, 2]);
      for (const answer of answers) expect(answer).not.toContain("isError");
      expect(record.match(/"opaque": ?true/g)).toHaveLength(2);
      expect(record.match(/trial:servers\.ok\.policy\.opaque=accept/g)).toHaveLength(2);
    },
  );
});
