/**
 * One request to the admin interface: who asks, which route, the body, the answer. A browser is
 * turned away before anything else: it sends `Origin` with everything that could do harm, a foreign
 * name in `Host` where a name was rebound to this machine, and it never has a token.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { codeOf, GatewayError, messageOf } from "../errors.ts";
import type { Log } from "../contract/ambient.ts";
import type { AdminErrorCode } from "./admin-error.ts";
import { AdminError } from "./admin-error.ts";
import type { AdminCaller, AdminReply, AdminRoute } from "./admin-route.ts";
import { mayUse } from "./admin-route.ts";
import { matchRoute } from "./match-route.ts";
import { readJsonBody } from "./read-json-body.ts";

/** One listener's way to tell who asks. */
export interface AdminDoor {
  /** What `Host` may say; `undefined`: nobody looks, since no browser gets here. */
  readonly hosts: readonly string[] | undefined;
  readonly callerOf: (request: IncomingMessage) => AdminCaller | undefined;
}

export interface AdminAnswering {
  readonly routes: readonly AdminRoute[];
  readonly log: Log;
  /** Called for each request of nobody who is known. */
  readonly onUnauthorized: () => void;
}

/** Answers; never rejects. */
export async function answerRequest(
  parts: AdminAnswering,
  door: AdminDoor,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    send(response, await replyTo(parts, door, request));
  } catch (thrown) {
    const reply = failure(thrown);
    const { status } = reply;
    if (status >= 500) {
      const reason = messageOf(thrown);
      parts.log.error({ code: codeOf(thrown), reason }, "admin request failed");
    } else if (status === 401 || status === 403) {
      parts.log.warn({ code: codeOf(thrown) }, "admin request refused");
      if (status === 401) parts.onUnauthorized();
    }
    send(response, reply);
  }
}

async function replyTo(
  { routes, log }: AdminAnswering,
  door: AdminDoor,
  request: IncomingMessage,
): Promise<AdminReply> {
  refuseBrowsers(door, request);
  const method = request.method ?? "";
  const [path = "", search = ""] = (request.url ?? "").split("?");
  const caller = door.callerOf(request);
  const open = routes.filter(({ role }) => role === "anybody");
  const { route, params } = matchRoute(
    caller === undefined ? openTo(open, path) : routes,
    method,
    path,
  );
  const who = caller ?? { name: "", via: "token" as const, roles: [] };
  if (!mayUse(who, route.role)) {
    throw new AdminError("admin_forbidden", `expected a token with the role ${route.role}`);
  }
  const body = await readJsonBody(request);
  const reply = await route.answer({
    caller: who,
    params,
    query: new URLSearchParams(search),
    body,
  });
  if (method !== "GET") log.info({ method, route: route.path, by: who.name }, "admin request done");
  return reply;
}

/** Without a token nobody learns which paths there are. */
function openTo(open: readonly AdminRoute[], path: string): readonly AdminRoute[] {
  if (open.some((route) => route.path === path)) return open;
  throw new AdminError("admin_unauthorized", "expected a bearer token of admin.tokens");
}

function refuseBrowsers({ hosts }: AdminDoor, { headers }: IncomingMessage): void {
  if (headers.origin !== undefined || headers["sec-fetch-site"] !== undefined) {
    throw new AdminError("admin_forbidden", "expected no browser: this interface has no pages");
  }
  const host = headers.host?.toLowerCase();
  if (hosts === undefined || (host !== undefined && hosts.includes(host))) return;
  throw new AdminError(
    "admin_forbidden",
    "expected the address of admin.http in Host, found another",
  );
}

const statusOf: Readonly<Record<AdminErrorCode, number>> = {
  admin_listen_failed: 500,
  admin_unauthorized: 401,
  admin_forbidden: 403,
  admin_not_found: 404,
  admin_method_unknown: 405,
  admin_request_invalid: 400,
  admin_too_large: 413,
};

/** Messages of our own errors hold no secrets; those of others might. */
function failure(thrown: unknown): AdminReply {
  if (!(thrown instanceof GatewayError)) {
    const error = { code: "internal_error", message: "see the log of the gateway" };
    return { status: 500, body: { error } };
  }
  const status = thrown instanceof AdminError ? statusOf[thrown.code] : 500;
  return { status, body: { error: { code: codeOf(thrown), message: thrown.message } } };
}

function send(response: ServerResponse, { status, body, contentType }: AdminReply): void {
  const isText = contentType !== undefined && typeof body === "string";
  const bytes = Buffer.from(isText ? body : `${JSON.stringify(body)}\n`);
  response.writeHead(status, {
    "content-type": isText ? contentType : "application/json",
    "content-length": bytes.length,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...(status === 401 ? { "www-authenticate": "Bearer" } : {}),
    // What was not read of a body that is too long is not the next request.
    ...(status === 413 ? { connection: "close" } : {}),
  });
  response.end(bytes);
}
