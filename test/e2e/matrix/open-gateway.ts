/**
 * The gateway before one server of the matrix: everything is allowed, names carry the server's id.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { actionTypes } from "../../../src/contract/policy-input.ts";
import { eventually } from "../../support/eventually.ts";
import { freePort } from "../../support/free-port.ts";
import { bin, freshEnvironment, serveCommand } from "../../support/gateway-process.ts";
import { buildLayout } from "../../support/policy-layout.ts";
import type { Place } from "./endpoint.ts";
import { connectClient } from "./matrix-client.ts";
import type { MatrixServer, OpenServer } from "./servers.ts";

/** Builds the bundle of a server that allows whatever there is; returns its layout. */
export async function allowEverything(id: string): Promise<string> {
  const granted = actionTypes.map((action) => `#     - ${action}`).join("\n");
  const rego = [
    "# METADATA\n# title: Anything\n# custom:\n#   id: matrix.anything\n#   actions:",
    granted,
    'allow contains {"rule": rego.metadata.rule()} if input.action.server',
  ].join("\n");
  return await buildLayout({ [id]: { rego } });
}

/** A gateway that is started by each client on stdio, or serves all of them on HTTP. */
export async function openGateway(
  carrier: Place["carrier"],
  server: MatrixServer,
  opened: OpenServer,
  { folder, layout }: { readonly folder: string; readonly layout: string },
): Promise<OpenServer> {
  const config = join(folder, "mcp-gateway.config.json");
  writeFileSync(config, JSON.stringify(settings(server, opened.place, folder, layout)));
  if (carrier === "http") return await serveOverHttp(config);
  const place = { carrier, command: serveCommand(config) };
  await listOnce(place);
  return { place, close: () => Promise.resolve() };
}

/** A gateway that never met its server says that it may do anything; from then on it knows. */
async function listOnce(place: Place): Promise<void> {
  const client = await connectClient("raw legacy", { ...place, roots: [] });
  await client.request("tools/list");
  await client.close();
}

function settings(server: MatrixServer, place: Place, folder: string, layout: string): object {
  const reached =
    place.carrier === "http"
      ? { url: place.url }
      : {
          command: place.command.command,
          args: place.command.args,
          env: place.command.env,
        };
  const entry = {
    ...reached,
    policy: `oci-layout:${layout}:${server.id}`,
    to_client: ["sampling", "elicitation", "roots"],
    ...server.entry(folder),
  };
  return {
    agent: { id: "matrix" },
    user: { id: "matrix" },
    // A machine that is busy is no reason to deny: what is compared here is not how fast it is.
    policy: { deadline_ms: 30_000 },
    servers: { [server.id]: entry },
    // What is compared is the way, byte for byte; what is shown instead has tests of its own.
    texts: { hidden_characters: "keep" },
  };
}

async function serveOverHttp(config: string): Promise<OpenServer> {
  const origin = `127.0.0.1:${await freePort()}`;
  const child = spawn(process.execPath, [bin, "serve", "--http", origin, "--config", config], {
    env: freshEnvironment(),
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ready = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(`the gateway ended with ${child.exitCode}`);
    return await fetch(`http://${origin}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  };
  const close = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "exit");
  };
  await eventually(ready, 60_000);
  return { place: { carrier: "http", url: `http://${origin}/mcp` }, close };
}
