/**
 * The exact text of one admission record.
 */
import type { Queryable } from "../../database/database.ts";

/** `$1` id. */
const selectAdmission = `
SELECT encode(record, 'base64') AS record
FROM mcp_gateway.decision_payload
WHERE decision_id = $1::uuid AND kind = 'admission'`;

/** Text of the record; `undefined` where its payload was pruned. */
export async function readAdmissionText(
  database: Queryable,
  id: string,
): Promise<string | undefined> {
  const [row] = await database.query(selectAdmission, [id]);
  const record = row?.["record"];
  return typeof record === "string" ? Buffer.from(record, "base64").toString("utf8") : undefined;
}
