/**
 * The chain of one writer's records. A link is a hash over the link before it, the place in the
 * chain, and two digests: of the header, which is kept long, and of the whole record, which may be
 * pruned. Who has the digests can follow the chain without the records, and who has a record, or only
 * its header, can prove that it is the one that was written.
 */
import { hash } from "node:crypto";

/** What a link binds; digests as 64 hexadecimal digits. */
export interface Linked {
  readonly writer: string;
  /** From 1, without gaps. */
  readonly seq: number;
  /** The link of the record before, `firstLink` for the first. */
  readonly previous: string;
  readonly headerSha256: string;
  readonly recordSha256: string;
}

/** Where a writer's chain begins. */
export function firstLink(writer: string): string {
  return hash("sha256", `mcp-gateway decision chain 1\n${writer}\n`);
}

/** The link of one record, 64 hexadecimal digits. */
export function linkOf({ writer, seq, previous, headerSha256, recordSha256 }: Linked): string {
  return hash(
    "sha256",
    `mcp-gateway decision link 1\n${writer}\n${seq}\n${previous}\n${headerSha256}\n${recordSha256}\n`,
  );
}
