/**
 * Reads one prompt definition of an upstream. Names of prompts are free text in the protocol; what
 * is refused is what no client can type, show or keep apart.
 */
import { promptShape } from "./item-shapes.ts";
import type { ItemReading, ReadItem } from "./read-item.ts";
import { readItem, refuseItem } from "./read-item.ts";

const namePattern = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{1,128}$/u;

/** Reads a definition; a refusal says why in a few words for the operator's log. */
export function readPrompt(listed: unknown): ItemReading<ReadItem> {
  const reading = readItem(listed, "name", promptShape);
  if (!reading.ok) return reading;
  const { name } = reading.item;
  if (!namePattern.test(name) || name.trim() !== name) {
    return refuseItem(name, "its name is not 1 to 128 visible characters");
  }
  return reading;
}
