/**
 * What tests of Git sources share: a policy, a source, and a web server with TLS.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { ServerOptions } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { BundleDependencies } from "../../src/bundle/bundle-dependencies.ts";
import type { BundleError } from "../../src/bundle/bundle-error.ts";
import type { BundleSource, Polled } from "../../src/bundle/sources/bundle-source.ts";
import { openBundleSource } from "../../src/bundle/sources/open-bundle-source.ts";
import { dependencies, registryOptions } from "./bundle-setting.ts";
import { portOf } from "./fake-registry.ts";

export const gitEnv = { PATH: process.env["PATH"] };
const manifest = JSON.stringify({ revision: "7", metadata: { name: "crm" } });
export const rego = 'package mcp.crm\n\nallow contains "read" if input.action.tool == "get"\n';
export const gitPolicy = {
  "servers/crm/policy.rego": rego,
  "servers/crm/.manifest": manifest,
};

/** The source of a reference. */
export async function openGit(
  reference: string,
  overrides: Partial<BundleDependencies> = {},
): Promise<BundleSource> {
  const given = dependencies({ env: gitEnv, ...overrides });
  return await openBundleSource(reference, { kind: "server" }, given);
}

/** The version that a poll found. */
export function idOf(polled: Polled): string {
  if (polled.kind === "changed") return polled.version.id;
  throw polled.kind === "failed" ? polled.error : new Error("unchanged");
}

/** Why a poll failed. */
export function problemOf(polled: Polled): BundleError {
  if (polled.kind === "failed") return polled.error;
  throw new Error(`expected a failure, found ${polled.kind}`);
}

const tlsFolder = join("test", "fixtures", "registry-tls");

/** Settings under which servers of `startTlsServer` are trusted. */
export function withAuthority(more: object = {}): Partial<BundleDependencies> {
  const settings = () => ({ caFile: join(process.cwd(), tlsFolder, "ca.pem"), ...more });
  return { registry: registryOptions({ settings }) };
}

/** A web server on this machine; goes away with the test. */
export async function startTlsServer(
  listener: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ readonly origin: string; readonly count: () => number }> {
  let requests = 0;
  const options: ServerOptions = {
    cert: readFileSync(join(tlsFolder, "server.pem")),
    key: readFileSync(join(tlsFolder, "server-key.pem")),
  };
  const server = createServer(options, (request, response) => {
    requests += 1;
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { origin: `https://127.0.0.1:${portOf(server.address())}`, count: () => requests };
}
