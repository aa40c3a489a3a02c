#!/usr/bin/env node
// @ts-check
/**
 * The demo mail server: Model Context Protocol on stdio, both eras. It has a mailbox that ships
 * with it and an outbox that sends nothing to anybody.
 */
import { fileURLToPath } from "node:url";
import { McpServer } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { registerMailTools } from "./mail-tools.js";
import { openMailbox } from "./mailbox.js";

const mailbox = openMailbox({
  messagesFile: fileURLToPath(new URL("./messages.json", import.meta.url)),
  outboxFile: process.env["MAIL_OUTBOX_FILE"],
  nowMs: () => Date.now(),
});

serveStdio(() => {
  const server = new McpServer({ name: "demo-mail", version: "1.0.0" });
  registerMailTools(server, mailbox);
  return server;
});
