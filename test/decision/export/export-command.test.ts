import { createServer } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import type { CliIo } from "../../../src/cli/io.ts";
import { run } from "../../../src/cli/run.ts";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import { migrate } from "../../../src/database/migrate.ts";
import { recordsOfStore } from "../../../src/decision/export/exported-record.ts";
import { openStore } from "../../../src/decision/store/open-store.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { admission, allowed, logOptions, outcome } from "../support.ts";

let folder = "";
const denied = admission({ inputJson: '{"big":12345678901234567890,\n"a":1.50}' });
const other = allowed({ server: "mail" });

beforeEach(async () => {
  folder = temporaryFolder();
  mkdirSync(join(folder, "state"), { mode: 0o700 });
  const config = { agent: { id: "a" }, user: { id: "u" }, servers: {} };
  writeFileSync(join(folder, "config.json"), JSON.stringify(config), { mode: 0o600 });
  writeFileSync(join(folder, "token"), "s3cret-token\n");
  await record();
});

async function record(): Promise<void> {
  const decisions = await createDecisionLog(logOptions(join(folder, "state")));
  await decisions.admit(denied);
  decisions.settle(outcome(denied.decisionId));
  await decisions.admit(other);
  await decisions.close();
}

interface Ended {
  readonly code: number;
  readonly out: readonly string[];
  readonly err: string;
}

async function exporting(...words: readonly string[]): Promise<Ended> {
  const out: string[] = [];
  const err: string[] = [];
  let code = 0;
  const io: CliIo = {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    env: { MCP_GATEWAY_STATE: join(folder, "state"), HOME: folder },
    cwd: folder,
    columns: undefined,
    exit: (wanted) => {
      code = wanted;
    },
  };
  await run(["decision", "export", ...words, "-c", "config.json"], io);
  return { code, out, err: err.join("\n") };
}

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly events: readonly { readonly decision_id: string }[];
}

/** Answers with these statuses, and with 204 when there are none left. */
async function startReceiver(...statuses: number[]) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => void chunks.push(chunk));
    request.on("end", () => {
      const events = JSON.parse(gunzipSync(Buffer.concat(chunks)).toString("utf8"));
      received.push({ headers: request.headers, events });
      const status = statuses.shift() ?? 204;
      response.writeHead(status, { location: "http://127.0.0.1:1/elsewhere" }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}/logs`, received };
}

const idOf = (line: string): string => String(JSON.parse(line).decision_id);

test("decisions go to stdout as OPA logs them, one a line", async () => {
  const { out, err, code } = await exporting("--since", "1h");
  expect(out.map(idOf)).toEqual([denied.decisionId, other.decisionId]);
  expect(out[0]).toContain('"input":{"big":12345678901234567890, "a":1.50}');
  expect({ err, code }).toEqual({ err: "2 records exported", code: 0 });
});

test("every record goes to a file as it was written", async () => {
  await exporting("--since", "1h", "--format", "jsonl", "-f", "record.jsonl");
  const lines = readFileSync(join(folder, "record.jsonl"), "utf8").trimEnd().split("\n");
  expect(lines.map((line) => [JSON.parse(line).kind, JSON.parse(line).seq])).toEqual([
    ["admission", 1],
    ["outcome", 2],
    ["admission", 3],
  ]);
});

test("only a server's decisions, and only those of a time", async () => {
  expect((await exporting("--since", "1h", "--server", "mail")).out.map(idOf)).toEqual([
    other.decisionId,
  ]);
  expect((await exporting("--since", "2h", "--until", "1h")).out).toEqual([]);
  expect((await exporting("--since", "2030-01-01T00:00:00Z")).out).toEqual([]);
});

test("a receiver gets a gzip of an array, and the token", async () => {
  const { url, received } = await startReceiver();
  const { code } = await exporting("--since", "1h", "--to", url, "--token-file", "token");
  expect(code).toBe(0);
  expect(received.map(({ events }) => events.map((event) => event.decision_id))).toEqual([
    [denied.decisionId, other.decisionId],
  ]);
  expect(received[0]?.headers).toMatchObject({
    "content-type": "application/json",
    "content-encoding": "gzip",
    authorization: "Bearer s3cret-token",
  });
});

test("what a receiver did not take is sent again, in order", async () => {
  const { url, received } = await startReceiver(503, 429);
  const { code } = await exporting("--since", "1h", "--to", url);
  expect(code).toBe(0);
  expect(received).toHaveLength(3);
  expect(received[2]?.events).toEqual(received[0]?.events);
});

test.each([401, 302])("a receiver that answers %i is not asked again", async (status) => {
  const { url, received } = await startReceiver(status);
  const { code, err } = await exporting("--since", "1h", "--to", url, "--token-file", "token");
  expect(code).toBe(7);
  expect(err).toContain(`found: status ${status} [export_failed]`);
  expect(err).not.toContain("s3cret");
  expect(received).toHaveLength(1);
});

test("an export goes on behind the one before, and repeats what was not taken", async () => {
  const { url, received } = await startReceiver(400);
  const words = ["--position", "place", "--to", url];
  expect((await exporting(...words)).code).toBe(7);
  expect((await exporting(...words)).err).toBe("2 records exported");
  expect((await exporting(...words)).err).toBe("0 records exported");
  await record();
  expect((await exporting(...words)).err).toBe("2 records exported");
  expect(received.map(({ events }) => events.length)).toEqual([2, 2, 2]);
});

test("a file that an export goes on with is appended to", async () => {
  const words = ["--position", "place", "-f", "events.jsonl"];
  await exporting(...words);
  await record();
  await exporting(...words);
  expect(readFileSync(join(folder, "events.jsonl"), "utf8").trimEnd().split("\n")).toHaveLength(4);
});

test("a damaged position is said and not taken for the beginning", async () => {
  writeFileSync(join(folder, "place"), "{");
  const { code, err } = await exporting("--position", "place");
  expect(code).toBe(7);
  expect(err).toMatch(/expected the position of an export in .*remove it to begin anew/);
});

test.each([
  [[], "expected --since, or --position"],
  [["--since", "1h", "--format", "csv"], "expected --format to be one of opa, jsonl"],
  [["--since", "1h", "--format", "constructor"], "expected --format to be one of"],
  [["--since", "1h", "--to", "ftp://x/"], "expected --to to be an http or https URL"],
  [["--since", "1h", "--to", "https://u:p@x/"], "without a user or password"],
  [["--since", "1h", "--to", "http://x/", "--token-file", "token"], "to be an https URL"],
  [["--since", "1h", "--token-file", "token"], "--token-file is for --to"],
  [["--since", "1h", "-f", "a", "--to", "https://x/"], "expected either -f or --to"],
  [["--since", "1h", "--format", "jsonl", "--to", "https://x/"], "expected --format opa with --to"],
])("%j is refused", async (words, message) => {
  const { code, err, out } = await exporting(...words);
  expect({ code, out }).toEqual({ code: 2, out: [] });
  expect(err).toContain(message);
});

test("a database gives the same records in the same order", { timeout: 90_000 }, async () => {
  const database = await openStore(logOptions(join(folder, "state")));
  try {
    await migrate(database);
    const filter = { sinceMs: 0, untilMs: undefined, server: undefined };
    const places: number[] = [];
    for await (const { seq } of recordsOfStore(database, filter, new Map())) places.push(seq);
    expect(places).toEqual([1, 2, 3]);
    const mail = { ...filter, server: "mail" };
    for await (const { text } of recordsOfStore(database, mail, new Map())) {
      expect(idOf(text)).toBe(other.decisionId);
    }
  } finally {
    await database.close();
  }
});
