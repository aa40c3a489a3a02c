/**
 * What one HTTP request is let in for: health, metadata, or the MCP endpoint. Checks come in the
 * order of what they cost an attacker to fail: path, single headers, host, origin, token. No body is
 * read before all of them.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { modernVersions } from "../../wire/method-table.ts";
import { answerEmpty, answerJson } from "./answer-json.ts";
import type { ResponseHeaders } from "./answer-json.ts";
import { answerPreflight } from "./answer-preflight.ts";
import type { Front } from "./front.ts";
import { findRepeated, readHeaders } from "./read-headers.ts";
import type { RequestHeaders } from "./read-headers.ts";
import type { Refusal } from "./refusal.ts";
import { refusal, refuse, unavailable } from "./refusal.ts";
import { endSession, serveListening } from "./serve-legacy.ts";
import { servePost } from "./serve-post.ts";

const metadataPath = "/.well-known/oauth-protected-resource";

/** Serves one request; resolves when it is dealt with. */
export async function routeRequest(
  front: Front,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? "").split("?", 1)[0] ?? "";
  if (path === "/livez") return serveLiveness(request, response);
  if (path === "/readyz") return serveReadiness(front, request, response);
  const isMetadata = path === metadataPath || path === metadataUrlPath(front.path);
  if (!isMetadata && path !== front.path) return answerEmpty(response, 404, {});
  const headers = readHeaders(request.rawHeaders);
  const repeated = findRepeated(headers);
  if (repeated !== undefined) {
    return refuseLoudly(front, response, refusal(400, `expected one header ${repeated}`), {});
  }
  if (isMetadata) return serveMetadata(front, request, response);
  await serveEndpoint(front, request, response, headers);
}

async function serveEndpoint(
  front: Front,
  request: IncomingMessage,
  response: ServerResponse,
  headers: RequestHeaders,
): Promise<void> {
  const origin = front.judgeOrigin(headers, request.socket);
  if (!origin.ok) return refuseLoudly(front, response, refusal(403, origin.message), {});
  const { cors } = origin;
  if (request.method === "OPTIONS") return answerPreflight(response, headers, cors);
  const authorization = headers.get("authorization");
  const authentication = await front.authenticate({ authorization });
  if (!authentication.ok) {
    const problem =
      authentication.status === 503
        ? unavailable(503, authentication.message, authentication.retryAfterSeconds)
        : refusal(authentication.status, authentication.message, {
            "WWW-Authenticate": authentication.wwwAuthenticate,
          });
    return refuse(response, problem, cors);
  }
  const { principal, expiresAtMs } = authentication;
  const caller = { principal, expiresAtMs, headers, shared: cors };
  if (request.method === "POST") return await servePost(front, caller, request, response);
  const isKnown = request.method === "GET" || request.method === "DELETE";
  if (!isKnown || isModern(headers)) {
    const allow = isKnown ? "POST, OPTIONS" : "GET, POST, DELETE, OPTIONS";
    return refuse(response, refusal(405, "Method not allowed", { Allow: allow }), cors);
  }
  if (request.method === "GET") return serveListening(front, caller, response);
  endSession(front, caller, response);
}

function serveLiveness(request: IncomingMessage, response: ServerResponse): void {
  answerEmpty(response, isRead(request) ? 200 : 405, { "Cache-Control": "no-store" });
}

/**
 * One word and no names, so that a probe needs no token. A replica that is degraded serves what it
 * can; one that could only deny is left out for others that may have their policies.
 */
function serveReadiness(
  { isDraining, readiness }: Front,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (!isRead(request)) return answerEmpty(response, 405, { "Cache-Control": "no-store" });
  const status = isDraining() ? "draining" : readiness();
  const isWell = status === "ready" || status === "degraded";
  answerJson(response, isWell ? 200 : 503, {}, [JSON.stringify({ status })]);
}

function isRead({ method }: IncomingMessage): boolean {
  return method === "GET" || method === "HEAD";
}

/** Public by RFC 9728: whoever has no token yet is to find out where to get one. */
function serveMetadata(front: Front, request: IncomingMessage, response: ServerResponse): void {
  const metadata = front.protectedResourceMetadata;
  const shared = { "Access-Control-Allow-Origin": "*" };
  if (metadata === undefined) return answerEmpty(response, 404, shared);
  if (request.method === "OPTIONS") {
    return answerEmpty(response, 204, {
      ...shared,
      "Access-Control-Allow-Methods": "GET",
      "Access-Control-Allow-Headers": "MCP-Protocol-Version",
    });
  }
  if (request.method !== "GET") return answerEmpty(response, 405, { ...shared, Allow: "GET" });
  answerJson(response, 200, shared, [JSON.stringify(metadata)]);
}

/** RFC 9728 §3.1: the path of the resource stands behind the well-known one. */
function metadataUrlPath(path: string): string {
  return path === "/" ? metadataPath : `${metadataPath}${path}`;
}

function isModern(headers: RequestHeaders): boolean {
  const version = headers.get("mcp-protocol-version");
  return modernVersions.some((known) => known === version);
}

function refuseLoudly(
  { tellRefusal }: Front,
  response: ServerResponse,
  problem: Refusal,
  shared: ResponseHeaders,
): void {
  tellRefusal(problem);
  refuse(response, problem, shared);
}
