/**
 * The shape of `texts`, of the file and of a server: what is done with hidden characters and with
 * what is too long in everything that a server says. What a server says goes before what the file
 * says, key by key.
 */
import * as z from "zod/mini";
import type { HiddenRule } from "../contract/hidden-characters.ts";
import { hiddenRules } from "../contract/hidden-characters.ts";

/** What a server's words have to be like. */
export interface TextRules {
  readonly hiddenCharacters: HiddenRule;
  /** Of one answer, message or definition; `undefined`: as much as the wire carries. */
  readonly maxBytes: number | undefined;
  /** What becomes of a result that is larger. */
  readonly oversize: "withhold" | "truncate";
}

/** `texts` of the file, and of a server. */
export const textsSchema = z.optional(
  z.strictObject({
    hidden_characters: z
      .optional(z.enum(hiddenRules))
      .check(z.describe('Controls, bidi overrides, hidden text; default "escape"')),
    max_bytes: z
      .optional(z.int().check(z.minimum(1024), z.maximum(33_554_432)))
      .check(z.describe("Of one result, message or definition; default as much as 32 MiB")),
    oversize: z
      .optional(z.enum(["withhold", "truncate"]))
      .check(z.describe('What becomes of a result that is larger; default "withhold"')),
  }),
);

type TextsEntry = z.output<typeof textsSchema>;

/** Where nobody says anything. */
export const usualTexts: TextRules = {
  hiddenCharacters: "escape",
  maxBytes: undefined,
  oversize: "withhold",
};

/** The rules of a server. */
export function resolveTexts(everywhere: TextsEntry, ofServer: TextsEntry): TextRules {
  return {
    hiddenCharacters:
      ofServer?.hidden_characters ?? everywhere?.hidden_characters ?? usualTexts.hiddenCharacters,
    maxBytes: ofServer?.max_bytes ?? everywhere?.max_bytes,
    oversize: ofServer?.oversize ?? everywhere?.oversize ?? usualTexts.oversize,
  };
}
