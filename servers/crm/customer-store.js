// @ts-check
/**
 * The customer records: read once from the file that ships with the server, changed in memory, or
 * in a state file of one's own. The shipped file is never written.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import * as z from "zod";

/** One record, as the file holds it and the tools answer it. `credit_limit` is in whole euros. */
export const customerSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  company: z.string(),
  email: z.string(),
  phone: z.string(),
  status: z.enum(["standard", "gold", "closed"]),
  credit_limit: z.number().int(),
  customer_since: z.string(),
  notes: z.string(),
});

/** @typedef {z.infer<typeof customerSchema>} Customer */
/** @typedef {{ [Field in keyof Customer]?: Customer[Field] | undefined }} Changes */

/**
 * What the tools do with the records.
 *
 * @typedef {object} CustomerStore
 * @property {(text: string) => Customer[]} search Name or company contains the text, in any case.
 * @property {(id: string) => Customer | undefined} get
 * @property {(id: string, changes: Changes) => Customer | undefined} update The record as it is then.
 * @property {(id: string) => boolean} remove False where there is no such customer.
 * @property {() => Customer[]} all
 */

/**
 * Opens the records. With a state file they are read from it where it exists, and every change is
 * written to it; without one a change lives as long as the process.
 *
 * @param {{ shippedFile: string, stateFile: string | undefined }} files
 * @returns {CustomerStore}
 */
export function openCustomerStore({ shippedFile, stateFile }) {
  const startFile = stateFile !== undefined && existsSync(stateFile) ? stateFile : shippedFile;
  const customers = readCustomers(startFile);
  const keep = () => {
    if (stateFile !== undefined) writeCustomers(stateFile, [...customers.values()]);
  };
  return {
    search: (text) => [...customers.values()].filter((customer) => isAbout(customer, text)),
    get: (id) => customers.get(id),
    all: () => [...customers.values()],
    update(id, changes) {
      const customer = customers.get(id);
      if (customer === undefined) return undefined;
      const updated = customerSchema.parse({ ...customer, ...changes, id });
      customers.set(id, updated);
      keep();
      return updated;
    },
    remove(id) {
      if (!customers.delete(id)) return false;
      keep();
      return true;
    },
  };
}

/**
 * @param {Customer} customer
 * @param {string} text
 */
function isAbout(customer, text) {
  const wanted = text.trim().toLowerCase();
  return [customer.name, customer.company].some((field) => field.toLowerCase().includes(wanted));
}

/** @param {string} file */
function readCustomers(file) {
  const customers = z.array(customerSchema).parse(JSON.parse(readFileSync(file, "utf8")));
  return new Map(customers.map((customer) => [customer.id, customer]));
}

/**
 * Writes beside the file and renames, so that a reader never sees half of it.
 *
 * @param {string} file
 * @param {Customer[]} customers
 */
function writeCustomers(file, customers) {
  const besideFile = `${file}.${process.pid}.tmp`;
  writeFileSync(besideFile, `${JSON.stringify(customers, null, 2)}\n`);
  renameSync(besideFile, file);
}
