/**
 * The HTTP front with its token check, before a gateway that answers every call with its arguments.
 */
import { createHash } from "node:crypto";
import { systemClock } from "../../src/config/ambient.ts";
import { createAuthenticator } from "../../src/mcp/downstream/authorization/create-authenticator.ts";
import { serveHttp } from "../../src/mcp/downstream/http/serve-http.ts";
import { readServerMessage } from "../../src/mcp/wire/read-server-message.ts";

const nothing = () => {};
/** @type {import("../../src/contract/ambient.ts").Log} */
const log = { error: nothing, warn: nothing, info: nothing, debug: nothing, child: () => log };
/** Read as what a server sends is read, which is the other leg's cost. */
const answer = readServerMessage(
  Buffer.from('{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"Northwind"}]}}'),
);
if (answer.kind !== "result") throw new Error("expected a result");
/** @type {import("../../src/gateway/gateway.ts").ActionReply} */
const reply = { kind: "result", origin: "upstream", ...answer.result };
/** @type {ReadonlyMap<string, string>} */
const noPointers = new Map();

/** @type {import("../../src/gateway/gateway.ts").Gateway} */
const gateway = {
  ready: Promise.resolve(),
  policyStanding: () => "ready",
  recalled: Promise.resolve(),
  greet: () => ({ capabilities: { tools: {} }, instructions: "" }),
  list: async () => ({ version: "1", items: [] }),
  act: async () => reply,
  setLogLevel: nothing,
  rootsChanged: nothing,
  unsubscribe: async () => {},
  listTasks: async () => [],
  listen: () => nothing,
  awaitChanges: async () => {},
  parameterHeaders: async () => noPointers,
  refuseMalformed: async () => {},
  forget: nothing,
  close: async () => {},
};

const agent = {
  id: "bench",
  version: null,
  scope: null,
  owner_team: null,
  model: null,
  parent: null,
  authenticated: true,
};
const user = { id: "alice", groups: [], data_classifications_authorized: [] };
const sha256 = createHash("sha256").update("t".repeat(43)).digest("hex");
const authorization = { tokens: [{ sha256, agent, user, servers: undefined }], issuers: [] };
const { authenticate } = createAuthenticator({
  config: authorization,
  resource: "http://127.0.0.1/mcp",
  servers: ["crm"],
  tenant: "default",
  clock: systemClock,
  fetch: globalThis.fetch,
  log,
});
const front = await serveHttp({
  gateway,
  log,
  clock: systemClock,
  http: {
    publicUrl: undefined,
    allowedHosts: [],
    allowedOrigins: [],
    maxBodyBytes: 4 * 1024 * 1024,
    maxSessions: 100,
    sessionIdleMs: 60_000,
    authorization,
  },
  authenticate,
  protectedResourceMetadata: undefined,
  readiness: () => "ready",
  listen: { host: "127.0.0.1", port: 0 },
});
process.send?.(front.url);
process.once("disconnect", () => void front.close().then(() => process.exit(0)));
