/**
 * What somebody makes who may write the store: records with links that fit, in place of those that
 * were there.
 */
import { newId } from "../../../src/config/ambient.ts";
import type { Database } from "../../../src/database/database.ts";
import { encodeRecord } from "../../../src/decision/encode-record.ts";
import type { FoundRecord } from "../../../src/decision/integrity/chain-check.ts";
import { envelop, openEnvelope } from "../../../src/decision/integrity/envelope.ts";
import type { ChainHead } from "../../../src/decision/integrity/envelope.ts";
import { foundText } from "../../../src/decision/integrity/found-record.ts";
import { allowed } from "../support.ts";

/** Texts of the first records of the only writer. */
export async function recordsUpTo(database: Database, seq: number): Promise<readonly string[]> {
  const rows = await database.query(
    `SELECT convert_from(p.record, 'UTF8') AS text FROM mcp_gateway.decision d
     JOIN mcp_gateway.decision_payload p USING (decision_id, kind) WHERE d.seq <= $1 ORDER BY d.seq`,
    [seq],
  );
  return rows.map(({ text }) => String(text));
}

/** What was there, but for one record that was made anew on top of the one before it. */
export async function* withAnother(
  texts: readonly string[],
  writer: string,
  place: number,
): AsyncGenerator<FoundRecord> {
  const better = encodeRecord(allowed({ decisionId: newId() }), { id: writer, version: "0" });
  const before = openEnvelope(texts[place - 2] ?? "");
  if (before === undefined) throw new Error("expected a record before it");
  const other = envelop(writer, before, better);
  for (const [index, text] of texts.entries()) {
    const seq = index + 1;
    yield foundText(seq === place ? other.text : text, { writer, seq, columns: undefined });
  }
}

/** A chain of thirteen: what was there, and then what somebody would like better. */
export async function* storedTexts(
  texts: readonly string[],
  writer: string,
): AsyncGenerator<FoundRecord> {
  let head: ChainHead = { seq: 0, link: "" };
  for (const text of texts) {
    const { seq, link } = openEnvelope(text) ?? head;
    head = { seq, link };
    yield foundText(text, { writer, seq, columns: undefined });
  }
  while (head.seq < 13) {
    const better = encodeRecord(allowed({ decisionId: newId() }), { id: writer, version: "0" });
    const next = envelop(writer, head, better);
    head = next;
    yield foundText(next.text, { writer, seq: next.seq, columns: undefined });
  }
}
