import { userInfo } from "node:os";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/config/ambient.ts";
import { canonicalJson } from "../../src/contract/canonical-json.ts";
import { sha256Of } from "../../src/contract/sha256.ts";
import { meetTools } from "../../src/mcp/catalog/tool-pins.ts";
import { createDecisionLog } from "../../src/decision/decision-log.ts";
import { admission, logOptions, readSpool } from "../decision/support.ts";
import { runCli } from "../support/cli-run.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

function machine(more: object = {}) {
  const folder = temporaryFolder();
  const config = {
    agent: { id: "bot" },
    user: { id: "alice" },
    servers: { crm: { command: "node", policy: "oci-layout:none:crm" } },
    ...more,
  };
  writeFileSync(join(folder, "mcp-gateway.config.json"), JSON.stringify(config), { mode: 0o600 });
  const stateDir = join(folder, "state");
  const env = { HOME: folder, MCP_GATEWAY_STATE: stateDir };
  const cli = async (line: string) => await runCli(line.split(" "), folder, env);
  const records = async () => (await readSpool(stateDir)).map((text): unknown => JSON.parse(text));
  return { cli, records, stateDir };
}

describe("block", () => {
  test("warns of a tool that its server never listed, and stops it", async () => {
    const { cli, stateDir } = machine();
    const before = await cli("block tool crm/refnd");
    expect(before).toMatchObject({ exitCode: 0, err: "" });
    const definition = { name: "refund", inputSchema: { type: "object" } };
    const tool = { name: "refund", digest: sha256Of(canonicalJson(definition)), definition };
    const pinned = await meetTools({ stateDir, clock: systemClock }, "crm", [tool]);
    expect(pinned.ok).toBe(true);
    const typo = await cli("block tool crm/refunt");
    expect(typo).toMatchObject({ exitCode: 0, out: "tool crm/refunt is blocked on this machine" });
    expect(typo.err).toBe(
      'warning: "crm" has listed no tool "refunt" so far; the block holds; did you mean crm/refund?',
    );
    expect(await cli("block tool crm/refund")).toMatchObject({ exitCode: 0, err: "" });
  });

  test("warns of an agent or a user whom nobody named and nobody saw, and stops them", async () => {
    const { cli, stateDir } = machine();
    for (const kind of ["agent", "user"]) {
      const stranger = await cli(`block ${kind} wrker`);
      expect(stranger).toEqual({
        exitCode: 0,
        out: `${kind} wrker is blocked on this machine`,
        err: `warning: no call of ${kind} "wrker" was seen so far; the block holds`,
      });
    }
    const log = await createDecisionLog(logOptions(stateDir));
    await log.admit(admission({ agent: "worker", user: "wendy" }));
    await log.admit(admission({ agent: "elsewhere", user: "eve", tenant: "other" }));
    await log.close();
    for (const known of ["agent worker", "user wendy", "agent bot", "user alice"]) {
      expect(await cli(`block ${known}`)).toMatchObject({ exitCode: 0, err: "" });
    }
    expect((await cli("block agent elsewhere")).err).toContain("no call of agent");
  }, 120_000);

  test("stops, lists and lifts, and each is a record that decision get finds", async () => {
    const { cli, records } = machine();
    const blocked = await cli("block agent bot --why loops");
    expect(blocked).toEqual({ exitCode: 0, out: "agent bot is blocked on this machine", err: "" });
    const listed = await cli("block list -o json");
    const me = userInfo().username;
    const item = { kind: "agent", id: "bot", by: me, reason: "loops", scope: "this_machine" };
    expect(JSON.parse(listed.out).items).toMatchObject([item]);
    expect((await cli("block list")).out).toMatch(/^KIND +ID +WHERE .*\nagent +bot +this_machine/);
    const again = await cli("block agent bot -o json");
    expect(JSON.parse(again.out)).toMatchObject({ ...item, is_new: false });
    const lifted = await cli("block lift agent bot --why mended");
    expect(lifted).toMatchObject({ exitCode: 0 });
    expect((await cli("block list")).err).toBe("nothing is blocked");
    const kept = await records();
    expect(kept).toMatchObject([
      { kind: "admin", action: "block", subject: "agent bot", by: me, reason: "loops" },
      { kind: "admin", action: "lift", subject: "agent bot", by: me, reason: "mended" },
    ]);
    const id = Object(kept[0]).decision_id;
    const got = await cli(`decision get ${id} -o json`);
    expect(JSON.parse(got.out)).toMatchObject({ decision_id: id, kind: "admin" });
  }, 60_000);

  test.each([
    ["block server crn", 2, "block_invalid"],
    ["block tool crm", 2, "block_invalid"],
    ["block lift agent bot --why x", 1, "block_unknown"],
    ["block lift bots bot --why x", 2, "block_invalid"],
    ["block lift agent bot", 2, "expected --why TEXT"],
    [`block agent bot --why ${"x".repeat(1001)}`, 2, "at most 1000 characters"],
  ])("%s ends with exit code %d and changes nothing", async (line, exitCode, said) => {
    const { cli, records } = machine();
    const ended = await cli(line);
    expect(ended).toMatchObject({ exitCode, out: "" });
    expect(ended.err).toContain(said);
    expect(await records()).toEqual([]);
  });

  test("where the shared store is away says so, and --local stops on this machine", async () => {
    const store = "postgres://nobody@127.0.0.1:1/none";
    const { cli } = machine({ decisions: { store } });
    const ended = await cli("block agent bot");
    expect(ended).toMatchObject({ exitCode: 7, out: "" });
    expect(ended.err).toMatch(/^note: --local .*\nerror: .*\[database_unreachable\]$/s);
    const local = await cli("block agent bot --local");
    expect(local).toMatchObject({ exitCode: 0, out: "agent bot is blocked on this machine" });
    const listed = await cli("block list");
    expect(listed.exitCode).toBe(7);
    expect(listed.err).toMatch(/^warning: everywhere: not shown: /);
    expect(listed.out).toMatch(/agent +bot +this_machine/);
    expect((await cli("block lift agent bot --why x --local")).exitCode).toBe(0);
  }, 60_000);
});

test("status says that no gateway runs where none does", async () => {
  const { cli } = machine();
  expect(await cli("status")).toMatchObject({
    exitCode: 0,
    err: "no gateway runs with this state folder",
  });
  expect(JSON.parse((await cli("status -o json")).out)).toEqual({ items: [] });
});
