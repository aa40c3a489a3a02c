/**
 * How long ago something was, for a column of a table.
 */
const steps = [
  { unit: "d", ms: 24 * 60 * 60_000 },
  { unit: "h", ms: 60 * 60_000 },
  { unit: "m", ms: 60_000 },
] as const;

/** In the largest unit of which there is a whole one: `3d`, `12h`, `5m`, `40s`. */
export function ageOf(milliseconds: number): string {
  const step = steps.find(({ ms }) => milliseconds >= ms);
  if (step === undefined) return `${Math.max(0, Math.floor(milliseconds / 1000))}s`;
  return `${Math.floor(milliseconds / step.ms)}${step.unit}`;
}
