/**
 * Durations as people write them in the configuration: `90s`, `15m`, `12h`, `7d`.
 */
import * as z from "zod/mini";

const unitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const shape = /^(?<count>[0-9]{1,9})(?<unit>ms|s|m|h|d)$/;

/** A duration in text; `parseDurationMs` reads it. */
export const durationSchema = z
  .string()
  .check(z.regex(shape, "expected a number with ms, s, m, h or d behind it, such as 60s"));

/** Milliseconds of a duration that has its form. */
export function parseDurationMs(text: string): number {
  const { count = "", unit = "" } = shape.exec(text)?.groups ?? {};
  return Number(count) * (unitsMs[unit] ?? Number.NaN);
}
