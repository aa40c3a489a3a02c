/**
 * An admin interface for tests, on a real socket and a real port, with real blocks behind it.
 */
import { createHash } from "node:crypto";
import { request as openRequest } from "node:http";
import type { IncomingHttpHeaders, OutgoingHttpHeaders, RequestOptions } from "node:http";
import { onTestFinished } from "vitest";
import type { AdminRoute } from "../../src/admin/admin-route.ts";
import { replyWith } from "../../src/admin/admin-route.ts";
import type { AdminInterface } from "../../src/admin/open-admin.ts";
import { openAdmin } from "../../src/admin/open-admin.ts";
import { blockRoutes } from "../../src/admin/routes/block-routes.ts";
import { healthRoutes } from "../../src/admin/routes/health-routes.ts";
import { statusRoutes } from "../../src/admin/routes/status-routes.ts";
import type { AdminRole } from "../../src/config/admin-config.ts";
import { newId, systemClock } from "../../src/config/ambient.ts";
import type { NotedRecord } from "../../src/contract/record.ts";
import { BlockWatch } from "../../src/gateway/blocks/block-watch.ts";
import { openBlockSources } from "../../src/gateway/blocks/open-block-stores.ts";
import { createTestLog } from "../support/log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

export const tokens = {
  viewer: "view-me",
  approver: "approve-me",
  operator: "operate-me",
} as const;

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const adminTokens = (["viewer", "approver", "operator"] as const).map((role: AdminRole) => ({
  name: `${role}-token`,
  sha256: sha256(tokens[role]),
  roles: [role],
}));

/** A route that fails in a way that nobody expects. */
const failing: AdminRoute = {
  method: "GET",
  path: "/v1/failing",
  role: "viewer",
  answer: () => {
    throw new Error("secret detail");
  },
};
const approving: AdminRoute = {
  method: "POST",
  path: "/v1/approvals/:id",
  role: "approver",
  answer: ({ params, caller }) => replyWith({ id: params["id"], by: caller.name }),
};

export interface TestAdmin {
  readonly admin: AdminInterface;
  readonly blocks: BlockWatch;
  readonly notes: NotedRecord[];
  readonly routes: readonly AdminRoute[];
  readonly log: ReturnType<typeof createTestLog>;
  readonly stateDir: string;
  readonly state: { isReady: boolean };
}

/** Closed with the test. */
export async function openTestAdmin({
  stateDir = temporaryFolder(),
  port = 0,
}: { stateDir?: string; port?: number } = {}): Promise<TestAdmin> {
  const log = createTestLog();
  const notes: NotedRecord[] = [];
  const state = { isReady: false };
  const hands = {
    tenant: "default",
    clock: systemClock,
    newId,
    note: async (record: NotedRecord) => void notes.push(record),
    scrub: (text: string) => text.replaceAll("hunter2", "[masked]"),
  };
  const blocks = new BlockWatch({
    ...hands,
    sources: openBlockSources({ ...hands, stateDir, store: { kind: "embedded" } }),
    agents: new Map(),
    mayStart: Promise.resolve(),
    log,
  });
  const routes = [
    ...healthRoutes(() => state.isReady),
    ...statusRoutes({
      status: async () => ({ version: "0" }),
      bundles: async () => [{ name: "crm", state: "active" }],
    }),
    ...blockRoutes({ blocks, servers: () => ["crm"] }),
    failing,
    approving,
  ];
  const admin = await openAdmin({
    config: { http: { host: "127.0.0.1", port }, tokens: adminTokens },
    stateDir,
    name: `${process.pid}-${newId().slice(-8)}`,
    owner: "alice",
    routes,
    clock: systemClock,
    log,
  });
  onTestFinished(async () => {
    await admin.close();
    await blocks.close();
  });
  return { admin, blocks, notes, routes, log, stateDir, state };
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

export interface Asking {
  readonly token?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: unknown;
  /** As it is, in place of `body`. */
  readonly raw?: string;
}

/** `GET /v1/blocks`, on the address or, where it is given, the socket. */
export function ask(
  where: { readonly url: string | undefined } | { readonly socketPath: string | undefined },
  line: string,
  { token, headers = {}, body, raw }: Asking = {},
): Promise<Answered> {
  const [method = "", path = ""] = line.split(" ");
  const text = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const options: RequestOptions = {
    method,
    path,
    headers: {
      // Node leaves the length of a DELETE out.
      ...(text === undefined
        ? {}
        : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
  };
  const place =
    "url" in where
      ? { host: "127.0.0.1", port: new URL(where.url ?? "").port }
      : { socketPath: where.socketPath };
  return new Promise((resolve, reject) => {
    const asked = openRequest({ ...options, ...place }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const said = Buffer.concat(chunks).toString();
        const { statusCode: status = 0 } = response;
        resolve({ status, headers: response.headers, body: JSON.parse(said) });
      });
    });
    asked.on("error", reject);
    asked.end(text);
  });
}
