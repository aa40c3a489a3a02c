/**
 * A running gateway exports by itself: what its clients saw answered arrives, after `kill -9` too, and
 * nobody's protocol channel is written to.
 */
import { spawn } from "node:child_process";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { readSpool } from "../decision/support.ts";
import { startReceiver } from "../decision/export/receiver.ts";
import type { Receiver } from "../decision/export/receiver.ts";
import { eventually } from "../support/eventually.ts";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { freePort } from "../support/free-port.ts";
import { bin, freshEnvironment, runBin, serveCommand } from "../support/gateway-process.ts";
import { allowAll, buildLayout } from "../support/policy-layout.ts";
import { readPrometheusText } from "../support/prometheus-text.ts";
import type { RawClient } from "../support/raw-client.ts";
import { startRawClient } from "../support/raw-client.ts";

let layout = "";

beforeAll(async () => {
  layout = await buildLayout({ fixture: allowAll });
});

function configure(entry: object | undefined, more: object = {}): string {
  const servers = { fixture: { policy: `oci-layout:${layout}:fixture` } };
  const decisions = entry === undefined ? {} : { export: entry };
  return writeFixtureConfig(servers, { ...more, decisions });
}

function toReceiver({ url }: Receiver): string {
  return configure({ to: url, min_delay: "100ms", upload_size_limit_bytes: 16_384 });
}

async function startClient(config: string, env: Record<string, string>): Promise<RawClient> {
  const client = await startRawClient(serveCommand(config, env));
  onTestFinished(() => void client.child.kill("SIGKILL"));
  await client.request("tools/list");
  return client;
}

async function recordedDecisions(env: Record<string, string>): Promise<readonly string[]> {
  const records = await readSpool(env["MCP_GATEWAY_STATE"] ?? "");
  return records
    .map((text) => JSON.parse(text))
    .filter(({ kind }) => kind === "admission")
    .map(({ decision_id: id }) => String(id));
}

const taken = ({ taken: events }: Receiver): ReadonlySet<string> =>
  new Set(events.map((event) => event.decision_id));

async function hasEverything(receiver: Receiver, env: Record<string, string>): Promise<boolean> {
  const recorded = await recordedDecisions(env);
  const received = taken(receiver);
  return recorded.every((id) => received.has(id));
}

const lanes = 2;

/** Calls without a pause on each lane, until the gateway is gone. */
function callOn(client: RawClient): void {
  let made = 0;
  const lane = async (): Promise<void> => {
    for (;;) await client.call("fixture__echo", { n: (made += 1) });
  };
  for (let at = 0; at < lanes; at += 1) void lane();
}

/** Takes two requests, and the third without an answer. */
function loseThird(receiver: Receiver): void {
  receiver.mode = () => (receiver.requests.length < 3 ? "take" : "lose");
}

test(
  "nothing is missing after kill -9 in the middle of an export",
  { timeout: 180_000 },
  async () => {
    const receiver = await startReceiver();
    loseThird(receiver);
    const env = freshEnvironment();
    const config = toReceiver(receiver);
    const client = await startClient(config, env);
    callOn(client);
    await eventually(() => receiver.requests.length >= 3, 60_000);
    // A call of those that are answered by then began after the last one that was exported.
    const answered = client.received.length;
    await eventually(() => client.received.length > answered + lanes);
    client.child.kill("SIGKILL");
    await eventually(() => client.child.exitCode !== null || client.child.signalCode !== null);
    const before = receiver.taken.length;
    const lost = receiver.requests[2]?.events.length ?? 0;
    const recorded = await recordedDecisions(env);
    expect(recorded.length).toBeGreaterThan(taken(receiver).size);

    receiver.mode = () => "take";
    const next = await startClient(config, env);
    await eventually(() => hasEverything(receiver, env), 60_000);
    expect(await next.end()).toBe(0);
    const own = receiver.taken.map((event) => event.decision_id);
    expect(own.length - new Set(own).size).toBeLessThanOrEqual(lost);
    expect(own.length).toBeGreaterThan(before);
  },
);

test(
  "of two gateways one exports for both, and the other after it was killed",
  { timeout: 180_000 },
  async () => {
    const receiver = await startReceiver();
    loseThird(receiver);
    const env = freshEnvironment();
    const config = toReceiver(receiver);
    const first = await startClient(config, env);
    callOn(first);
    await eventually(() => receiver.requests.length >= 3, 60_000);
    const second = await startClient(config, env);
    for (let n = 1; n <= 20; n += 1) await second.call("fixture__echo", { n });
    first.child.kill("SIGKILL");
    receiver.mode = () => "take";
    await eventually(() => hasEverything(receiver, env), 60_000);
    expect(await second.end()).toBe(0);
  },
);

test("the client's stdout is refused, with what to do", async () => {
  const args = ["serve", "--stdio", "--config", configure({ to: "stdout" })];
  const { code, stdout, stderr } = await runBin(args, freshEnvironment());
  expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
  expect(stderr).toContain("decisions.export.to: expected a URL or file:///PATH");
  expect(stderr).toContain("serve --http");
});

test("over HTTP stdout has the events, and metrics and status say how the export is", async () => {
  const env = freshEnvironment();
  const client = await startClient(configure(undefined), env);
  await client.call("fixture__echo", { n: 1 });
  await client.end();
  const port = await freePort();
  const config = configure({ to: "stdout" }, { metrics: { listen: `127.0.0.1:${port}` } });
  const args = [bin, "serve", "--http", "127.0.0.1:0", "--config", config];
  const gateway = spawn(process.execPath, args, { env });
  onTestFinished(() => void gateway.kill("SIGKILL"));
  let out = "";
  gateway.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  const [id] = await recordedDecisions(env);
  await eventually(() => out.endsWith("\n"));
  expect(JSON.parse(out)).toMatchObject({ decision_id: id });
  const metrics = `http://127.0.0.1:${port}/metrics`;
  await eventually(async () => (await fetch(metrics).catch(() => undefined))?.ok === true);
  const exported = async () =>
    readPrometheusText(await (await fetch(metrics)).text()).get("mcp_gateway_export_records_total")
      ?.samples[0]?.value;
  await expect.poll(exported).toBe(1);
  const { stdout } = await runBin(["status", "-o", "json"], env);
  expect(JSON.parse(stdout).items[0].export).toMatchObject({
    target: "stdout",
    exported: 1,
    dropped: 0,
    failures: 0,
    lag_seconds: 0,
  });
  const table = (await runBin(["status"], env)).stdout;
  expect(table).toMatch(/EXPORT +BLOCKS/);
  expect(table).toContain("waiting");
  gateway.kill("SIGTERM");
  await eventually(() => gateway.exitCode === 0);
});
