/**
 * A token server for a real registry: checks a password and signs what is asked for, as the
 * distribution project's token specification has it.
 */
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join, resolve } from "node:path";
import { importPKCS8, SignJWT } from "jose";
import { portOf } from "./fake-registry.ts";
import type { TokenAuthentication } from "./docker-registry.ts";

export interface TokenServer {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** For the registry's configuration. */
  readonly authentication: TokenAuthentication;
  /** Passwords by user name; may be changed. */
  readonly users: Map<string, string>;
  /** Scopes that were granted, in order. */
  readonly granted: string[];
  readonly close: () => Promise<void>;
}

const keys = resolve(join("test", "fixtures", "registry-tls"));
const issuer = "test token server";
const service = "test registry";

/** Starts one on a free loopback port; its tokens are good for a minute. */
export async function startTokenServer(
  passwords: Readonly<Record<string, string>>,
): Promise<TokenServer> {
  const users = new Map(Object.entries(passwords));
  const granted: string[] = [];
  const server = createServer((request, response) => {
    void answer(request, response, users, granted);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const host = `127.0.0.1:${portOf(server.address())}`;
  const rootcertbundle = join(keys, "ca.pem");
  return {
    host,
    users,
    granted,
    authentication: { realm: `http://${host}/token`, service, issuer, rootcertbundle },
    close: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

async function answer(
  { headers, url }: IncomingMessage,
  response: ServerResponse,
  users: ReadonlyMap<string, string>,
  granted: string[],
): Promise<void> {
  const pair = Buffer.from((headers.authorization ?? "").replace("Basic ", ""), "base64");
  const [name = "", password = ""] = pair.toString().split(":");
  if (users.get(name) !== password) {
    response.writeHead(401).end();
    return;
  }
  const scope = new URL(url ?? "/", "http://x").searchParams.get("scope") ?? "";
  granted.push(scope);
  const token = await sign(name, scope);
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify({ token, expires_in: 60 }));
}

async function sign(subject: string, scope: string): Promise<string> {
  const key = await importPKCS8(await readFile(join(keys, "server-key.pem"), "utf8"), "ES256");
  const pem = await readFile(join(keys, "server.pem"), "utf8");
  const certificate = pem.replaceAll(/-----[^-]+-----|\s/g, "");
  const [type, repository, actions = ""] = scope.split(":");
  const access = scope === "" ? [] : [{ type, name: repository, actions: actions.split(",") }];
  return await new SignJWT({ access })
    .setProtectedHeader({ alg: "ES256", typ: "JWT", x5c: [certificate] })
    .setIssuer(issuer)
    .setSubject(subject)
    .setAudience(service)
    .setIssuedAt()
    .setNotBefore("-5s")
    .setExpirationTime("60s")
    .setJti(randomUUID())
    .sign(key);
}
