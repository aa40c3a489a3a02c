#!/usr/bin/env node
// @ts-check
/**
 * The demo CRM server: Model Context Protocol on stdio, both eras. It does what it is asked and
 * checks nobody's rights; that is what the gateway and its policy bundle are for.
 */
import { fileURLToPath } from "node:url";
import { McpServer } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { openCustomerStore } from "./customer-store.js";
import { registerCustomerTools } from "./customer-tools.js";

const store = openCustomerStore({
  shippedFile: fileURLToPath(new URL("./customers.json", import.meta.url)),
  stateFile: process.env["CRM_STATE_FILE"],
});

serveStdio(() => {
  const server = new McpServer({ name: "demo-crm", version: "1.0.0" });
  registerCustomerTools(server, store);
  return server;
});
