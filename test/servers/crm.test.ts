/** The demo CRM server, called by real clients as an agent's client would call it. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { clientKinds, connectClient } from "./connect-client.ts";
import type { ConnectedClient } from "./connect-client.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const shippedFile = fileURLToPath(new URL("../../servers/crm/customers.json", import.meta.url));

describe.each(clientKinds)("the crm server, read by %s", (kind) => {
  let client: ConnectedClient;

  beforeAll(async () => {
    client = await connectClient(kind, "crm");
  });
  afterAll(() => client.close());

  it("speaks the revision of the client's era", () => {
    const expected = kind === "SDK 2.x modern" ? "2026-07-28" : "2025-11-25";
    expect(client.protocolVersion).toBe(expected);
  });

  it("lists its five tools, closed to unknown arguments and annotated", async () => {
    const tools = await client.listTools();
    const hints = Object.fromEntries(
      tools.map((tool) => [
        tool.name,
        [tool.annotations["readOnlyHint"], tool.annotations["destructiveHint"]],
      ]),
    );
    expect(hints).toEqual({
      search_customers: [true, undefined],
      get_customer: [true, undefined],
      export_customers: [true, undefined],
      update_customer: [false, true],
      delete_customer: [false, true],
    });
  });

  it("opens one record, as structure and as the same text", async () => {
    const answer = await client.callTool("get_customer", { id: "C-17" });
    expect(answer.isError).not.toBe(true);
    expect(answer.structuredContent).toMatchObject({ id: "C-17", name: "Nora Vance" });
    expect(JSON.parse(answer.content[0]?.text ?? "")).toEqual(answer.structuredContent);
  });

  it("finds customers by a part of name or company, in any case", async () => {
    const byName = await client.callTool("search_customers", { query: " nora V" });
    expect(byName.structuredContent).toEqual({
      customers: [{ id: "C-17", name: "Nora Vance", company: "Northwind Bakery" }],
      total: 1,
    });
    const byCompany = await client.callTool("search_customers", { query: "CEDAR" });
    expect(byCompany.structuredContent).toMatchObject({ total: 1, customers: [{ id: "C-22" }] });
    const none = await client.callTool("search_customers", { query: "nora.vance@" });
    expect(none.structuredContent).toEqual({ customers: [], total: 0 });
  });

  it("exports every record", async () => {
    const answer = await client.callTool("export_customers", {});
    const shipped: unknown = JSON.parse(await readFile(shippedFile, "utf8"));
    expect(answer.structuredContent).toEqual({ customers: shipped });
    expect(shipped).toHaveLength(12);
  });

  it.each(["get_customer", "update_customer", "delete_customer"])(
    "answers an unknown id of %s with a tool error that names it",
    async (tool) => {
      const answer = await client.callTool(tool, { id: "C-99" });
      expect(answer.isError).toBe(true);
      expect(answer.content[0]?.text).toBe('no customer has the id "C-99"');
    },
  );

  it("answers arguments of the wrong shape with a tool error", async () => {
    const wrong: readonly (readonly [string, Record<string, unknown>])[] = [
      ["get_customer", {}],
      ["get_customer", { id: 17 }],
      ["get_customer", { id: "C-17", verbose: true }],
      ["update_customer", { id: "C-17", status: "platinum" }],
      ["update_customer", { id: "C-17", customer_since: "2001-01-01" }],
      ["export_customers", { format: "csv" }],
    ];
    for (const [tool, args] of wrong) {
      expect(await client.callTool(tool, args)).toMatchObject({ isError: true });
    }
    const untouched = await client.callTool("get_customer", { id: "C-17" });
    expect(untouched.structuredContent).toMatchObject({ status: "gold" });
  });

  it("refuses a tool that it does not have", async () => {
    await expect(client.callTool("drop_table", {})).rejects.toThrow(/drop_table/);
  });
});

describe.each(clientKinds)("the crm server, changed by %s", (kind) => {
  let client: ConnectedClient;

  beforeEach(async () => {
    client = await connectClient(kind, "crm");
  });
  afterEach(() => client.close());

  it("changes the fields given and no others", async () => {
    const before = await client.callTool("get_customer", { id: "C-17" });
    const change = { id: "C-17", notes: "called back", credit_limit: 1 };
    expect((await client.callTool("update_customer", change)).isError).not.toBe(true);
    const after = await client.callTool("get_customer", { id: "C-17" });
    expect(after.structuredContent).toEqual({
      ...JSON.parse(before.content[0]?.text ?? ""),
      ...change,
    });
  });

  it("deletes a record once", async () => {
    const deleted = await client.callTool("delete_customer", { id: "C-16" });
    expect(deleted).toMatchObject({ content: [{ text: "deleted C-16" }] });
    expect((await client.callTool("get_customer", { id: "C-16" })).isError).toBe(true);
    expect((await client.callTool("delete_customer", { id: "C-16" })).isError).toBe(true);
  });

  it("never writes the file it ships with", async () => {
    const before = await readFile(shippedFile, "utf8");
    await client.callTool("update_customer", { id: "C-17", notes: "in memory" });
    await client.callTool("delete_customer", { id: "C-16" });
    expect(await readFile(shippedFile, "utf8")).toBe(before);
  });
});

describe("the crm server with a state file", () => {
  let folder: string;

  beforeAll(async () => {
    folder = temporaryFolder();
  });

  it("keeps changes across its own end", async () => {
    const env = { CRM_STATE_FILE: join(folder, "customers.json") };
    const first = await connectClient("SDK 1.x", "crm", env);
    await first.callTool("delete_customer", { id: "C-16" });
    await first.callTool("update_customer", { id: "C-17", notes: "kept" });
    await first.close();

    const second = await connectClient("SDK 1.x", "crm", env);
    const kept = await second.callTool("get_customer", { id: "C-17" });
    const gone = await second.callTool("get_customer", { id: "C-16" });
    await second.close();
    expect(kept.structuredContent).toMatchObject({ notes: "kept" });
    expect(gone.isError).toBe(true);
  });
});
