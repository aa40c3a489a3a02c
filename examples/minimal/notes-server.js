// @ts-check
/**
 * The server of the least configuration: notes in memory, read and written by two tools, and those
 * of the handbook as resources. It checks nobody's rights; the policy in `examples/policy/notes` does.
 */
import { McpServer } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import * as z from "zod";

const notes = new Map([
  ["handbook/welcome.md", "Coffee is on the second floor."],
  ["todo.md", "Write a policy."],
]);
const path = z.string().describe("Path of a note, such as todo.md");

serveStdio(() => {
  const server = new McpServer({ name: "notes", version: "1.0.0" });
  const readSchema = z.strictObject({ path });
  server.registerTool(
    "read_note",
    { description: "Reads a note.", inputSchema: readSchema, annotations: { readOnlyHint: true } },
    (asked) => answer(notes.get(asked.path) ?? `there is no note ${asked.path}`),
  );
  const writeSchema = z.strictObject({ path, text: z.string() });
  server.registerTool(
    "write_note",
    { description: "Writes a note, whether it is there or not.", inputSchema: writeSchema },
    (note) => {
      notes.set(note.path, note.text);
      return answer(`wrote ${note.path}`);
    },
  );
  const uri = "note:///handbook/welcome.md";
  server.registerResource("welcome", uri, { mimeType: "text/markdown" }, () => ({
    contents: [{ uri, text: notes.get("handbook/welcome.md") ?? "" }],
  }));
  return server;
});

/** @param {string} text */
function answer(text) {
  return { content: [{ type: /** @type {const} */ ("text"), text }] };
}
