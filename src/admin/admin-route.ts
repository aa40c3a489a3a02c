/**
 * What a route of the admin interface is. Each noun has one file in `routes/`; who may call, how
 * bodies are read and how errors are answered is the same for all and said in no route.
 */
import type { AdminRole } from "../config/admin-config.ts";

/** Who asks. */
export interface AdminCaller {
  /** Of a token its name, on the socket the user of the process. */
  readonly name: string;
  /** How they came in: a token's name and a user's are not the same kind of name. */
  readonly via: "token" | "socket";
  readonly roles: readonly AdminRole[];
}

export interface AdminRequest {
  readonly caller: AdminCaller;
  /** Values of the path's `:name` segments, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The JSON body; `undefined` where there is none. */
  readonly body: unknown;
}

export interface AdminReply {
  readonly status: number;
  /** JSON, snake_case; or a text of `contentType`. */
  readonly body: unknown;
  /** Of a body that is text and no JSON. */
  readonly contentType?: string;
}

export interface AdminRoute {
  readonly method: "GET" | "POST" | "DELETE";
  /** `/v1/blocks/:kind/:id`; a segment that begins with a colon takes any one segment, `:id*` the rest. */
  readonly path: string;
  /** `viewer`: every role; `anybody`: without a token too, so it may say nothing. */
  readonly role: AdminRole | "anybody";
  readonly answer: (request: AdminRequest) => AdminReply | Promise<AdminReply>;
}

/** A reply with this status, 200 by default. */
export function replyWith(body: unknown, status = 200): AdminReply {
  return { status, body };
}

/** Whether this caller may use a route. */
export function mayUse({ roles }: AdminCaller, role: AdminRoute["role"]): boolean {
  if (role === "anybody") return true;
  return role === "viewer" ? roles.length > 0 : roles.includes(role);
}
