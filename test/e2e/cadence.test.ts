/**
 * Each layer is asked for on its own cadence: of two whose sources change at the same moment, the one
 * that is polled every second speaks anew, and the one that is not polled as before, until a restart.
 */
import { cpSync } from "node:fs";
import { expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { freshEnvironment, serveCommand } from "../support/gateway-process.ts";
import { allowAll, buildLayout } from "../support/policy-layout.ts";
import type { RawClient } from "../support/raw-client.ts";
import { startRawClient } from "../support/raw-client.ts";

const saying = (word: string) => ({
  layer: "compliance" as const,
  rego: `deny contains "${word}" if input.action.tool == "echo"`,
});

test("a layer speaks anew when its own cadence says so", { timeout: 120_000 }, async () => {
  const layout = await buildLayout({ ok: allowAll, often: saying("a1"), never: saying("b1") });
  const layer = (name: string, poll: string) => ({
    name,
    kind: "compliance",
    policy: { bundle: `oci-layout:${layout}:${name}`, require: "none", poll },
  });
  const config = writeFixtureConfig(
    { ok: { policy: `oci-layout:${layout}:ok` } },
    { layers: [layer("often", "1s"), layer("never", "off")] },
  );
  const command = serveCommand(config, freshEnvironment());
  const client = await startRawClient(command);
  expect(await reasonsOf(client)).toEqual(["a1", "b1"]);

  const changed = await buildLayout({ ok: allowAll, often: saying("a2"), never: saying("b2") });
  cpSync(changed, layout, { recursive: true });
  await eventually(async () => (await reasonsOf(client)).includes("a2"), 60_000);
  await new Promise((resolve) => setTimeout(resolve, 3000));
  expect(await reasonsOf(client)).toEqual(["a2", "b1"]);
  await client.end();

  const next = await startRawClient(command);
  expect(await reasonsOf(next)).toEqual(["a2", "b2"]);
  await next.end();
});

async function reasonsOf(client: RawClient): Promise<readonly string[]> {
  const { result } = await client.call("ok__echo");
  const said = Object(Object(result)._meta)["io.mcp-gateway/decision"];
  return Object(said).reasons ?? [];
}
