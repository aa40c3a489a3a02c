/**
 * What an obligation does at each sort of place in a message. `edit-message.ts` knows the places.
 */
import type { JsonNode } from "./json-tree.ts";

/** One obligation at work on one message. */
export interface Editor {
  /** Text that a person or a model reads, on its own. */
  readonly prose: (text: string, name: string | undefined) => string;
  /** A JSON document of the server's own making; `undefined` takes it out. */
  readonly document: (node: JsonNode) => JsonNode | undefined;
  /** A URI, which has to stay one. */
  readonly uri: (text: string) => string;
  /** True where a text that cannot be changed (a media type, a role) holds what must not pass. */
  readonly forbids: (text: string) => boolean;
  /** What stands in for an image, a sound or a file; `undefined` lets it pass. */
  readonly binary: (base64Length: number) => string | undefined;
  readonly tally: Tally;
}

/** What came of it: numbers, never contents. */
export interface Tally {
  /** Places that were changed. */
  changed: number;
  /** Why the message as a whole may not pass. */
  problem: string | undefined;
}
