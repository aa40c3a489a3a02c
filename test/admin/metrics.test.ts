import { createServer } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { openAdmin } from "../../src/admin/open-admin.ts";
import { openMetrics } from "../../src/admin/open-metrics.ts";
import { metricsRoutes } from "../../src/admin/routes/metrics-routes.ts";
import { systemClock } from "../../src/config/ambient.ts";
import { MetricRegistry } from "../../src/telemetry/metrics/metric-registry.ts";
import { Counter } from "../../src/telemetry/metrics/metrics.ts";
import { portOf } from "../support/fake-registry.ts";
import { createTestLog } from "../support/log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { createHash } from "node:crypto";

const log = createTestLog();
const registry = new MetricRegistry(log);
registry.add(new Counter({ name: "calls_total", help: "Calls." }));
const expected = "# HELP calls_total Calls.\n# TYPE calls_total counter\ncalls_total 0\n";

test("the admin interface gives metrics as text to a viewer, and to nobody without a token", async () => {
  const sha256 = createHash("sha256").update("view-me").digest("hex");
  const admin = await openAdmin({
    config: {
      http: { host: "127.0.0.1", port: 0 },
      tokens: [{ name: "scraper", sha256, roles: ["viewer"] }],
    },
    stateDir: temporaryFolder(),
    name: "test",
    owner: "alice",
    routes: metricsRoutes(registry),
    clock: systemClock,
    log,
  });
  onTestFinished(() => admin.close());
  const url = `${admin.url}/metrics`;
  expect((await fetch(url)).status).toBe(401);
  const headers = { authorization: "Bearer view-me", connection: "close" };
  const answer = await fetch(url, { headers });
  expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(await answer.text()).toBe(expected);
});

test("the listener of metrics has them and nothing else, and not for browsers", async () => {
  const listener = await openMetrics({ host: "127.0.0.1", port: 0 }, registry, log);
  onTestFinished(() => listener.close());
  expect(await (await fetch(listener.url)).text()).toBe(expected);
  const origin = new URL(listener.url).origin;
  for (const path of ["/", "/v1/status", "/livez", "/metrics/"]) {
    expect((await fetch(`${origin}${path}`)).status).toBe(404);
  }
  expect((await fetch(listener.url, { method: "DELETE" })).status).toBe(404);
  const headers = { origin: "http://page.example" };
  expect((await fetch(listener.url, { headers })).status).toBe(403);
});

test("an address that is taken is said with the key that names it", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void taken.close());
  const place = { host: "127.0.0.1", port: portOf(taken.address()) };
  await expect(openMetrics(place, registry, log)).rejects.toThrow(/EADDRINUSE.*metrics\.listen/);
});
