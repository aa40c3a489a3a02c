// @ts-check
/**
 * The five CRM tools. A record that does not exist is an error of the tool (`isError`), which a
 * model can read and act on; arguments of the wrong shape are refused by the schemas.
 */
import * as z from "zod";
import { customerSchema } from "./customer-store.js";

const longestHitList = 20;
const idSchema = z.string().describe("Customer id, for example C-17");
const readsOnly = { readOnlyHint: true, openWorldHint: false };
const changes = {
  readOnlyHint: false,
  destructiveHint: true,
  idempotentHint: true,
  openWorldHint: false,
};

/**
 * Registers the tools on a server.
 *
 * @param {import("@modelcontextprotocol/server").McpServer} server
 * @param {import("./customer-store.js").CustomerStore} store
 */
export function registerCustomerTools(server, store) {
  registerReadingTools(server, store);
  registerChangingTools(server, store);
}

/**
 * @param {import("@modelcontextprotocol/server").McpServer} server
 * @param {import("./customer-store.js").CustomerStore} store
 */
function registerReadingTools(server, store) {
  server.registerTool(
    "search_customers",
    {
      title: "Search customers",
      description: `Finds customers by a part of their name or company. Answers at most ${longestHitList}.`,
      inputSchema: z.strictObject({ query: z.string().describe("Part of a name or company") }),
      outputSchema: z.object({
        customers: z.array(customerSchema.pick({ id: true, name: true, company: true })),
        total: z.number().int().describe("How many there are in all"),
      }),
      annotations: readsOnly,
    },
    ({ query }) => {
      const hits = store.search(query);
      const customers = hits
        .slice(0, longestHitList)
        .map(({ id, name, company }) => ({ id, name, company }));
      return structured({ customers, total: hits.length });
    },
  );

  server.registerTool(
    "get_customer",
    {
      title: "Open a customer record",
      description: "Answers the whole record of one customer.",
      inputSchema: z.strictObject({ id: idSchema }),
      outputSchema: customerSchema,
      annotations: readsOnly,
    },
    ({ id }) => {
      const customer = store.get(id);
      return customer === undefined ? noSuchCustomer(id) : structured(customer);
    },
  );

  server.registerTool(
    "export_customers",
    {
      title: "Export all customers",
      description: "Answers the whole record of every customer.",
      inputSchema: z.strictObject({}),
      outputSchema: z.object({ customers: z.array(customerSchema) }),
      annotations: readsOnly,
    },
    () => structured({ customers: store.all() }),
  );
}

/**
 * @param {import("@modelcontextprotocol/server").McpServer} server
 * @param {import("./customer-store.js").CustomerStore} store
 */
function registerChangingTools(server, store) {
  server.registerTool(
    "update_customer",
    {
      title: "Change a customer record",
      description: "Sets the fields that are given and leaves the others as they are.",
      inputSchema: customerSchema.omit({ customer_since: true }).partial().extend({ id: idSchema }),
      annotations: changes,
    },
    ({ id, ...fields }) => {
      const customer = store.update(id, fields);
      return customer === undefined ? noSuchCustomer(id) : text(JSON.stringify(customer));
    },
  );

  server.registerTool(
    "delete_customer",
    {
      title: "Delete a customer record",
      description: "Removes the record of one customer. It does not come back.",
      inputSchema: z.strictObject({ id: idSchema }),
      annotations: changes,
    },
    ({ id }) => (store.remove(id) ? text(`deleted ${id}`) : noSuchCustomer(id)),
  );
}

/**
 * The same value for programs and, as text, for models.
 *
 * @template {Record<string, unknown>} Output
 * @param {Output} output
 */
function structured(output) {
  return { ...text(JSON.stringify(output)), structuredContent: output };
}

/** @param {string} id */
function noSuchCustomer(id) {
  return { ...text(`no customer has the id ${JSON.stringify(id)}`), isError: true };
}

/** @param {string} answer */
function text(answer) {
  return { content: [{ type: /** @type {const} */ ("text"), text: answer }] };
}
