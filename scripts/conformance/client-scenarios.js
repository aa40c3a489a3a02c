/**
 * What each client scenario of the suite wants to see a client do, and what the gateway has to be
 * told for it.
 */

/**
 * @typedef {import("@modelcontextprotocol/client").Client} Client
 * @typedef {import("@modelcontextprotocol/client").ClientCapabilities} ClientCapabilities
 * @typedef {Record<string, any>} Context
 * @typedef {{
 *   drive: (client: Client, context: Context) => Promise<void>,
 *   server?: (context: Context) => Record<string, unknown>,
 *   capabilities?: ClientCapabilities,
 *   era?: "legacy",
 *   logsIn?: boolean,
 * }} Driver
 */

/** A client ID metadata document that the suite knows by its URL; nobody fetches it. */
const metadataUrl = "https://conformance-test.local/client-metadata.json";

/** @type {Driver} */
const loggedIn = {
  drive: async (client) => {
    await client.listTools();
    await callTool(client, "test-tool");
  },
  server: () => ({ oauth: { client_metadata_url: metadataUrl } }),
  logsIn: true,
};

/** @type {Record<string, Driver>} */
const drivers = {
  initialize: { drive: async (client) => void (await client.listTools()) },
  tools_call: {
    drive: async (client) => {
      await client.listTools();
      await callTool(client, "add_numbers", { a: 5, b: 3 });
    },
  },
  "elicitation-sep1034-client-defaults": {
    capabilities: { elicitation: { form: { applyDefaults: true } } },
    drive: (client) => callTool(client, "test_client_elicitation_defaults"),
  },
  "sse-retry": { drive: (client) => callTool(client, "test_reconnection") },
  "request-metadata": {
    capabilities: { roots: { listChanged: true }, sampling: {}, elicitation: {} },
    drive: async (client) => void (await client.listTools()),
  },
  "http-standard-headers": { drive: useEverything },
  "http-custom-headers": {
    drive: async (client, { toolCalls }) => {
      await client.listTools();
      for (const call of toolCalls) await callTool(client, call.name, call.arguments);
    },
  },
  // A legacy client filters nothing itself: what it does not see, the gateway dropped.
  "http-invalid-tool-headers": {
    era: "legacy",
    drive: async (client) => {
      const { tools } = await client.listTools();
      for (const { name } of tools) await callTool(client, name, { region: "us-west1" });
    },
  },
  "json-schema-ref-no-deref": { drive: async (client) => void (await client.listTools()) },
  "json-schema-2020-12-preservation": {
    drive: async (client) => {
      const { tools } = await client.listTools();
      const seen = tools.find(({ name }) => name === "json_schema_2020_12_tool");
      await callTool(client, "json_schema_echo", { schema: seen?.inputSchema });
    },
  },
  "sep-2322-client-request-state": {
    capabilities: { elicitation: {} },
    drive: async (client) => {
      for (const what of ["echo_state", "no_state", "unrelated", "no_result_type"]) {
        await callTool(client, `test_mrtr_${what}`);
      }
    },
  },
  "auth/pre-registration": {
    ...loggedIn,
    server: ({ client_id }) => ({
      oauth: { client_id, client_secret: "${env:CONFORMANCE_CLIENT_SECRET}" },
    }),
  },
  // Without a metadata document it has to register, and the suite sees what it registers.
  "auth/offline-access-scope": { ...loggedIn, server: () => ({ oauth: {} }) },
  "auth/client-credentials-basic": {
    drive: async (client) => void (await client.listTools()),
    server: ({ client_id }) => ({
      oauth: {
        grant: "client_credentials",
        client_id,
        client_secret: "${env:CONFORMANCE_CLIENT_SECRET}",
      },
    }),
  },
};

/**
 * The driver of a scenario; those of `auth/` without one of their own log in and use a tool.
 *
 * @param {string} scenario
 * @returns {Driver}
 */
export function driverOf(scenario) {
  const driver = drivers[scenario] ?? (scenario.startsWith("auth/") ? loggedIn : undefined);
  if (driver === undefined) throw new Error(`expected a known scenario, found "${scenario}"`);
  return driver;
}

/** @param {Client} client */
async function useEverything(client) {
  const { tools } = await client.listTools();
  for (const { name } of tools) await callTool(client, name);
  const { resources } = await client.listResources();
  for (const { uri } of resources) await client.readResource({ uri });
  const { prompts } = await client.listPrompts();
  for (const { name } of prompts) await client.getPrompt({ name, arguments: {} });
}

/**
 * Calls a tool; an error of any kind is an exception.
 *
 * @param {Client} client
 * @param {string} name
 * @param {Record<string, unknown>} args
 * @returns {Promise<void>}
 */
async function callTool(client, name, args = {}) {
  const result = await client.callTool({ name, arguments: args });
  if (result.isError === true) throw new Error(`${name}: ${JSON.stringify(result.content)}`);
}
