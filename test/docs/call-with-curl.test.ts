/**
 * The commands of `docs/call-with-curl.md` are run as they stand, against the example that the page
 * names, on another port.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isInstalled, runProgram } from "../support/docker-registry.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { bin, freshEnvironment, root } from "../support/gateway-process.ts";

const page = readFileSync(join(root, "docs", "call-with-curl.md"), "utf8");
const blocks = [...page.matchAll(/```(sh|text)\n([\s\S]*?)```/g)].map(([, kind, body = ""]) => ({
  kind,
  body,
}));
const [serve, ...commands] = blocks.filter(({ kind }) => kind === "sh").map(({ body }) => body);
const printed = blocks.filter(({ kind }) => kind === "text").map(({ body }) => body.trim());
const hasCurl = isInstalled("curl");

let port = 0;
let stop: () => Promise<void>;
beforeAll(async () => {
  port = await freePort();
  const args = (serve ?? "").trim().replace("8080", String(port)).split(" ").slice(2);
  const env = freshEnvironment();
  const gateway = spawn(process.execPath, [bin, ...args], { cwd: root, env, stdio: "ignore" });
  const ended = once(gateway, "exit");
  stop = async () => {
    gateway.kill("SIGTERM");
    await ended;
  };
  const isReady = async (): Promise<boolean> =>
    await fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  await eventually(isReady, 60_000);
}, 90_000);
afterAll(async () => await stop());

test.skipIf(!hasCurl)(
  "each command of the page does what the page says",
  async () => {
    const mark = "--next--";
    const script = commands.join(`\necho '${mark}'\n`).replaceAll("8080", String(port));
    const output = await runProgram("bash", ["-euc", script]);
    const answers = output.split(mark).map((text) => text.trim());
    expect(commands).toHaveLength(7);
    const [modernList, modernCall, session, list, call, denied, end] = answers;
    const tools = [{ name: "notes__read_note" }, { name: "notes__write_note" }];
    expect(JSON.parse(modernList ?? "")).toMatchObject({ result: { tools } });
    expect(session).toBe("");
    expect(JSON.parse(list ?? "")).toMatchObject({ result: { tools } });
    expect([modernCall, call]).toEqual(printed);
    const text = expect.stringContaining("Denied by policy (handbook_is_read_only)");
    expect(JSON.parse(denied ?? "")).toMatchObject({
      result: { isError: true, content: [{ text }] },
    });
    expect(end).toBe("");
  },
  120_000,
);
