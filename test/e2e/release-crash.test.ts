/**
 * A command that is killed between the lock and the pins: the release is in the lock, and whoever
 * comes next finishes what was begun.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../src/config/ambient.ts";
import { acquireProcessLock } from "../../src/database/process-lock.ts";
import { bin as program } from "../support/gateway-process.ts";
import { eventually } from "../support/eventually.ts";
import { createReleaseWorld, outcomeOf } from "./release-world.ts";

test("a move that was killed between lock and pins is finished by the next gateway", async () => {
  const { configPath, env, lock, makeRelease, pushPolicy, releaseAt, serve, upgrade, why } =
    createReleaseWorld();
  await pushPolicy("1.0.0");
  await makeRelease("1.0.0");
  await upgrade("1.0.0");
  const one = await serve();
  expect(await outcomeOf(one, "moving")).toBe("ran 1.0.0");
  await one.end();
  await pushPolicy("2.0.0");
  await makeRelease("2.0.0");

  // Whoever has the lock of the pins stops the command right after it wrote the lock.
  const pins = join(env["MCP_GATEWAY_STATE"] ?? "", "pins", "crm.json");
  const before = readFileSync(pins, "utf8");
  const held = await acquireProcessLock(`${pins}.lock`, { clock: systemClock, waitMs: 0 });
  if (!held.ok) throw new Error("expected nobody to hold the pins");
  const args = ["server", "upgrade", "crm", releaseAt("2.0.0"), ...why, "--config", configPath];
  const command = spawn(process.execPath, [program, ...args], { env });
  await eventually(() => lock().servers.crm.release.package.version === "2.0.0", 60_000);
  command.kill("SIGKILL");
  const [code, signal] = await once(command, "exit");
  expect([code, signal]).toEqual([null, "SIGKILL"]);
  await held.lock.release();
  expect(readFileSync(pins, "utf8")).toBe(before);

  const two = await serve();
  expect(await outcomeOf(two, "moving")).toBe("ran 2.0.0");
  expect(await outcomeOf(two, "steady")).toBe("ran 2.0.0");
  expect(readFileSync(pins, "utf8")).toContain("of 2.0.0");
}, 180_000);
