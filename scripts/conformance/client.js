/**
 * The client under test of the suite's client scenarios: starts the gateway with the scenario's
 * server behind it and drives it over stdio with the SDK. The suite gives the URL as the last
 * argument, and the scenario, the revision and a context in the environment.
 */
import { makeSetting } from "./children.js";
import { driverOf } from "./client-scenarios.js";
import { connectThrough } from "./gateway-client.js";
import { logIn } from "./log-in.js";

const url = process.argv.at(-1) ?? "";
const scenario = process.env["MCP_CONFORMANCE_SCENARIO"] ?? "";
const revision = process.env["MCP_CONFORMANCE_PROTOCOL_VERSION"] ?? "";
const context = JSON.parse(process.env["MCP_CONFORMANCE_CONTEXT"] ?? "{}");
const layout = process.env["CONFORMANCE_LAYOUT"] ?? "";

const driver = driverOf(scenario);
const setting = makeSetting(layout, { url, ...driver.server?.(context) });
if (typeof context.client_secret === "string") {
  setting.env["CONFORMANCE_CLIENT_SECRET"] = context.client_secret;
}

/** Whoever is not let in logs in again, as a person would, but not for ever. */
const mostLogins = driver.logsIn ? 2 : 0;
for (let logins = 0; ; logins += 1) {
  if (logins < mostLogins) await logIn(setting);
  const failure = await attempt();
  if (failure === undefined) break;
  if (logins + 1 >= mostLogins) throw failure;
}

/** @returns {Promise<Error | undefined>} why it did not work */
async function attempt() {
  const isModern = revision === "2026-07-28" && driver.era !== "legacy";
  const client = await connectThrough(setting, isModern, driver.capabilities ?? {});
  try {
    await driver.drive(client, context);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    await client.close();
  }
}
