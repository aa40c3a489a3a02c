/**
 * Obligations as they are carried out: read strictly from what a policy attached to its decision.
 */
import type { RE2JS } from "re2js";
import type { DetectorKind } from "../../../contract/detector-kind.ts";

/** What a policy wants done with what comes back. */
export type Duty = ChangingDuty | NotifyDuty;

/** One that changes what comes back. */
export type ChangingDuty = RedactDuty | MaskDuty | TruncateDuty;

interface Named {
  /** The policy's own name for it. */
  readonly id: string;
}

/** Takes out what is found in any text. */
export interface RedactDuty extends Named {
  readonly type: "redact";
  /** Kinds of data that the gateway recognises. */
  readonly kinds: readonly DetectorKind[];
  readonly literals: readonly string[];
  readonly patterns: readonly RE2JS[];
  /** RFC 6901, each in parts, into every JSON document of the result. */
  readonly pointers: readonly (readonly string[])[];
  readonly replacement: string;
}

/** Takes out the values of fields, wherever JSON is found. */
export interface MaskDuty extends Named {
  readonly type: "mask_fields";
  /** Each in parts: the last names of a path, `*` for any one of them. */
  readonly fields: readonly (readonly string[])[];
  readonly keepsType: boolean;
  /** What becomes of text in which no fields can be told. */
  readonly text: "withhold" | "pass";
}

/** Cuts what is longer. */
export interface TruncateDuty extends Named {
  readonly type: "truncate";
  readonly maxBytes: number | undefined;
  readonly maxCharacters: number | undefined;
  readonly maxItems: number | undefined;
}

/** Tells a channel that the operator set up. */
export interface NotifyDuty extends Named {
  readonly type: "notify";
  readonly channel: string;
}

/** A place in a text, in UTF-16 units; `end` is behind it. */
export interface TextSpan {
  readonly start: number;
  readonly end: number;
}

/** Finds data of these kinds; `name` is that of the member that holds the text. */
export type FindKinds = (
  text: string,
  kinds: readonly DetectorKind[],
  name: string | undefined,
) => readonly TextSpan[];
