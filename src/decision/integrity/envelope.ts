/**
 * What the spool puts in front of a record: its writer, its place in the writer's chain and the links
 * on both sides. The record behind it stays byte for byte as it was encoded, so that its digest can
 * be taken again from the stored text.
 */
import { hash } from "node:crypto";
import { linkOf } from "./chain-link.ts";

/** A record as it goes into the spool. */
export interface EncodedRecord {
  /** JSON text of an object. */
  readonly text: string;
  /** Canonical JSON of what the store keeps of it as columns. */
  readonly header: string;
}

/** Where a writer's chain ends. */
export interface ChainHead {
  /** 0 before the first record. */
  readonly seq: number;
  readonly link: string;
}

export interface Enveloped extends ChainHead {
  readonly text: string;
}

/** The record behind its envelope, as the next one of the chain. */
export function envelop(writer: string, head: ChainHead, record: EncodedRecord): Enveloped {
  const seq = head.seq + 1;
  const headerSha256 = hash("sha256", record.header);
  const recordSha256 = hash("sha256", record.text);
  const link = linkOf({ writer, seq, previous: head.link, headerSha256, recordSha256 });
  const text = `{"writer":"${writer}","seq":${seq},"previous_link":"${head.link}","link":"${link}",${record.text.slice(1)}`;
  return { seq, link, text };
}

export interface OpenedEnvelope {
  readonly writer: string;
  readonly seq: number;
  readonly previous: string;
  readonly link: string;
  /** The record's own text. */
  readonly text: string;
}

const envelopePattern =
  /^\{"writer":"([0-9a-z-]{1,64})","seq":([1-9]\d{0,15}),"previous_link":"([0-9a-f]{64})","link":"([0-9a-f]{64})",/;

/** `undefined` where a text has no envelope. */
export function openEnvelope(text: string): OpenedEnvelope | undefined {
  const [whole, writer, seq, previous, link] = envelopePattern.exec(text) ?? [];
  if (whole === undefined || writer === undefined || previous === undefined || link === undefined) {
    return undefined;
  }
  return { writer, seq: Number(seq), previous, link, text: `{${text.slice(whole.length)}` };
}
