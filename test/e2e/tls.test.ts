/**
 * A server behind TLS whose certificate is of a private authority, reached by the gateway as its
 * users start it; and every certificate that is not the right one.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createGuardedFetch } from "../../src/mcp/upstream/oauth/guarded-fetch.ts";
import { eventually } from "../support/eventually.ts";
import { freshEnvironment, serveCommand } from "../support/gateway-process.ts";
import { allowAll, buildLayout } from "../support/policy-layout.ts";
import { startRawClient } from "../support/raw-client.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const timeoutMs = 120_000;
let layout = "";
let certificates = "";

beforeAll(async () => {
  layout = await buildLayout({ web: allowAll });
  certificates = temporaryFolder();
  makeAuthority("own");
  makeAuthority("other");
  makeCertificate("server", "own", "IP:127.0.0.1");
}, timeoutMs);

const pem = (name: string): string => join(certificates, `${name}.pem`);
const key = (name: string): string => join(certificates, `${name}.key`);

function openssl(...args: readonly string[]): void {
  execFileSync("openssl", args, { stdio: "ignore" });
}

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

function makeAuthority(name: string): void {
  const written = ["-keyout", key(name), "-out", pem(name), "-days", "2"];
  openssl("req", "-x509", ...newKey, ...written, "-subj", `/CN=${name} authority`);
}

/** A certificate for one name alone. */
function makeCertificate(name: string, authority: string, subject: string): void {
  const request = join(certificates, `${name}.csr`);
  const extensions = join(certificates, `${name}.ext`);
  writeFileSync(extensions, `subjectAltName=${subject}\n`);
  openssl("req", "-new", ...newKey, "-keyout", key(name), "-out", request, "-subj", "/CN=server");
  const signer = ["-CA", pem(authority), "-CAkey", key(authority), "-CAcreateserial"];
  const signing = ["-in", request, ...signer, "-out", pem(name), "-days", "2"];
  openssl("x509", "-req", ...signing, "-extfile", extensions);
}

/** An MCP server with one tool; returns its port and how many requests it got. */
async function startServer() {
  const seen = { requests: 0 };
  const options = { key: readFileSync(key("server")), cert: readFileSync(pem("server")) };
  const server = createServer(options, (request, response) => {
    seen.requests += 1;
    void readText(request).then((text) => {
      if (text === "" || request.method !== "POST") return response.writeHead(405).end();
      const { id, method, params } = JSON.parse(text);
      if (id === undefined) return response.writeHead(202).end();
      const result = answerTo(method, params);
      response.writeHead(200, { "Content-Type": "application/json" });
      return response.end(JSON.stringify({ jsonrpc: "2.0", id, ...result }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return { port: typeof address === "object" ? (address?.port ?? 0) : 0, seen };
}

function answerTo(method: string, params: { readonly arguments?: object }): object {
  switch (method) {
    case "initialize": {
      const serverInfo = { name: "tls", version: "1" };
      return {
        result: { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo },
      };
    }
    case "tools/list":
      return { result: { tools: [{ name: "echo", inputSchema: { type: "object" } }] } };
    case "tools/call":
      return { result: { content: [{ type: "text", text: JSON.stringify(params.arguments) }] } };
    default:
      return { error: { code: -32_601, message: "Method not found" } };
  }
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
}

async function openGateway(
  url: string,
  settings: object,
  env: Readonly<Record<string, string>> = {},
) {
  const config = join(certificates, "mcp-gateway.config.json");
  const web = { url, policy: `oci-layout:${layout}:web`, protocol: "legacy", ...settings };
  const who = { agent: { id: "test-agent" }, user: { id: "tester" } };
  const policy = { deadline_ms: 10_000 };
  writeFileSync(config, JSON.stringify({ ...who, policy, servers: { web } }), { mode: 0o600 });
  const client = await startRawClient(serveCommand(config, freshEnvironment(env)));
  onTestFinished(async () => void (await client.end()));
  return client;
}

async function calls(client: Awaited<ReturnType<typeof openGateway>>): Promise<string> {
  let answer = "";
  await eventually(async () => {
    answer = JSON.stringify(await client.call("web__echo", { a: 1 }));
    return answer.includes('"content"');
  }, timeoutMs);
  return answer;
}

describe("a server with a certificate of a private authority", () => {
  test(
    "is reached with its ca_file, which is relative to the configuration",
    async () => {
      const { port } = await startServer();
      const client = await openGateway(`https://127.0.0.1:${port}/mcp`, { ca_file: "own.pem" });
      expect(await calls(client)).toContain(String.raw`{\"a\":1}`);
    },
    timeoutMs,
  );

  test(
    "is reached where Node trusts the authority",
    async () => {
      const { port } = await startServer();
      const env = { NODE_EXTRA_CA_CERTS: pem("own") };
      const client = await openGateway(`https://127.0.0.1:${port}/mcp`, {}, env);
      expect(await calls(client)).toContain(String.raw`{\"a\":1}`);
    },
    timeoutMs,
  );

  test.each([
    ["without a ca_file", "127.0.0.1", undefined, "name a private one in ca_file"],
    ["with the ca_file of another authority", "127.0.0.1", "other", "in ca_file"],
    ["under a name that its certificate does not have", "localhost", "own", "another host name"],
    [
      "with a ca_file that is not there",
      "127.0.0.1",
      "missing",
      "servers.web.ca_file: cannot read",
    ],
    ["with a ca_file that is no certificate", "127.0.0.1", "none", "expected a certificate in PEM"],
  ])(
    "is refused %s, with words that say what to do",
    async (_, host, authority, words) => {
      const { port, seen } = await startServer();
      writeFileSync(pem("none"), "no certificate");
      const settings = authority === undefined ? {} : { ca_file: pem(authority) };
      const client = await openGateway(`https://${host}:${port}/mcp`, settings);
      const answer = await client.call("web__echo", { a: 1 });
      expect(JSON.stringify(answer)).not.toContain('"content":[{"type":"text","text":"{');
      await eventually(() => client.stderr().includes(words), timeoutMs);
      expect(seen.requests).toBe(0);
    },
    timeoutMs,
  );
});

describe("the OAuth calls of such a server", () => {
  const serverAt = (url: string, caFile: string | undefined) =>
    ({ id: "web", url, oauth: undefined, caFile }) as const;

  test("trust its ca_file", async () => {
    const { port } = await startServer();
    const url = `https://127.0.0.1:${port}/mcp`;
    const answer = await createGuardedFetch(serverAt(url, pem("own")))(url);
    expect(answer.status).toBe(405);
  });

  test("trust it for an issuer at another host too", async () => {
    const { port } = await startServer();
    const issuer = `https://127.0.0.1:${port}/`;
    const fetch = createGuardedFetch(serverAt("https://127.0.0.1:1/mcp", pem("own")));
    expect((await fetch(issuer)).status).toBe(405);
  });

  test.each([
    ["nobody named", undefined, "127.0.0.1", "name a private one in ca_file"],
    ["is not its own", "other", "127.0.0.1", "in ca_file"],
    ["signed for another name", "own", "localhost", "another host name"],
    ["is not there", "missing", "127.0.0.1", "servers.web.ca_file: cannot read"],
  ])("refuse an authority that %s", async (_, authority, host, words) => {
    const { port, seen } = await startServer();
    const url = `https://${host}:${port}/mcp`;
    const fetch = createGuardedFetch(serverAt(url, authority && pem(authority)));
    await expect(fetch(url)).rejects.toMatchObject({
      code: "oauth_unreachable",
      message: expect.stringContaining(words),
    });
    expect(seen.requests).toBe(0);
  });
});
