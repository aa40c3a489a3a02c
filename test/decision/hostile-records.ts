/**
 * What a store must survive: records that JSON allows and Postgres refuses, and bytes that are no
 * records at all.
 */
import { newId } from "../../src/config/ambient.ts";
import type { AdmissionRecord } from "../../src/contract/record.ts";
import { admission } from "./sample-records.ts";

/** Each of them is a decision and has to be found again. */
export const hostile: readonly AdmissionRecord[] = [
  admission({ inputJson: '{"args":"a\\u0000b"}' }),
  admission({ inputJson: '{"args":"\\ud800"}' }),
  admission({ inputJson: '{"args":1e200000}' }),
  admission({ inputJson: `${"[".repeat(20_000)}${"]".repeat(20_000)}` }),
  admission({ tool: "nul\0 and \ud800", server: "s".repeat(10_000), agent: "\0" }),
];
/** Each of them belongs to the dead letters. */
export const broken = [
  '{"kind":"nonsense"}',
  '{"kind":"admission","decision_id":"no uuid"}',
  `{"kind":"outcome","decision_id":"${newId()}","timestamp":"some day"}`,
  `{"kind":"outcome","decision_id":"${newId()}","timestamp":"2026-11-22T00:00:00Z","result_bytes":1e30}`,
];
