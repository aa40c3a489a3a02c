/** What the demo servers put on their standard streams, seen without any MCP client. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { serverFile } from "./connect-client.ts";

const initialize = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "test", version: "1.0.0" },
  },
};

describe.each(["crm", "mail"] as const)("the %s server on its standard streams", (server) => {
  it("prints JSON-RPC and nothing else, and exits 0 at the end of its input", async () => {
    const child = spawn(process.execPath, [serverFile(server)], { stdio: "pipe" });
    const stdout = text(child.stdout);
    const stderr = text(child.stderr);
    const exited = once(child, "exit");
    const answered = once(child.stdout, "data");
    child.stdin.write(`this is no JSON\n${JSON.stringify(initialize)}\n`);
    await answered;
    child.stdin.end();

    expect((await exited)[0]).toBe(0);
    expect(await stderr).toBe("");
    const lines = (await stdout).trimEnd().split("\n");
    const messages = lines.map((line): unknown => JSON.parse(line));
    expect(messages).toContainEqual(expect.objectContaining({ jsonrpc: "2.0", id: 1 }));
    for (const message of messages) expect(message).toMatchObject({ jsonrpc: "2.0" });
  });
});
