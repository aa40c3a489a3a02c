// @ts-check
/**
 * The two mail tools. Some of the listed messages try to give the reader orders; they are passed on
 * as they came, because that is what mail does.
 */
import * as z from "zod";
import { messageSchema } from "./mailbox.js";

/**
 * Registers the tools on a server.
 *
 * @param {import("@modelcontextprotocol/server").McpServer} server
 * @param {import("./mailbox.js").Mailbox} mailbox
 */
export function registerMailTools(server, mailbox) {
  server.registerTool(
    "list_messages",
    {
      title: "List messages",
      description: "Answers the messages of the support mailbox, oldest first.",
      inputSchema: z.strictObject({}),
      outputSchema: z.object({ messages: z.array(messageSchema) }),
      annotations: { readOnlyHint: true, openWorldHint: true },
    },
    () => {
      const output = { messages: mailbox.list() };
      return { ...text(JSON.stringify(output)), structuredContent: output };
    },
  );

  server.registerTool(
    "send_email",
    {
      title: "Send a message",
      description: "Sends a message in plain text to one address.",
      inputSchema: z.strictObject({
        to: z.string().describe("One address, for example ann@inside.example"),
        subject: z.string().describe("One line"),
        body: z.string().describe("Plain text"),
      }),
      annotations: {
        readOnlyHint: false,
        destructiveHint: false,
        idempotentHint: false,
        openWorldHint: true,
      },
    },
    (letter) => text(`sent as ${mailbox.send(letter).id}`),
  );
}

/** @param {string} answer */
function text(answer) {
  return { content: [{ type: /** @type {const} */ ("text"), text: answer }] };
}
