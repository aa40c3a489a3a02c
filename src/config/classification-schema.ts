/**
 * The shape of what the operator says of data: `classification`, which class of data each built-in
 * detector stands for, and `tools`, what each tool touches. Of the detectors what a server says goes
 * before what the file says, and that before the defaults.
 */
import * as z from "zod/mini";
import type { DetectorKind } from "../contract/detector-kind.ts";
import { detectorKinds } from "../contract/detector-kind.ts";

const defaultClasses: Readonly<Record<DetectorKind, string>> = {
  email: "contact_data",
  phone: "contact_data",
  payment_card: "payment_data",
  national_id: "national_id",
  credential: "credential",
  private_key: "credential",
};

const dataClass = z.string().check(z.minLength(1), z.maxLength(256));
const setting = z.optional(z.union([dataClass, z.literal(false)]));

const detectors = z.strictObject({
  email: setting.check(z.describe('Class of data, or false; default "contact_data"')),
  phone: setting.check(z.describe('Class of data, or false; default "contact_data"')),
  payment_card: setting.check(z.describe('Class of data, or false; default "payment_data"')),
  national_id: setting.check(z.describe('Class of data, or false; default "national_id"')),
  credential: setting.check(z.describe('Class of data, or false; default "credential"')),
  private_key: setting.check(z.describe('Class of data, or false; default "credential"')),
});

const noWords = z._default(z.array(z.string().check(z.minLength(1))), []);

/** One of `servers.*.tools`. */
export const toolSchema = z.strictObject({
  data_classes: noWords.check(z.describe("Floor of the data classes that a call touches")),
  labels: noWords.check(z.describe("Floor of the labels of a call and its result")),
  result: z
    .optional(z.strictObject({ data_classes: noWords, labels: noWords }))
    .check(z.describe("What its result brings besides; without any label: untrusted_content")),
});

/** `classification` of the file, and of a server. */
export const classificationSchema = z.strictObject({ detectors: z.prefault(detectors, {}) });

type ClassificationEntry = z.output<typeof classificationSchema> | undefined;

/** The class that each detector brings; one that is switched off is not in it. */
export function resolveDetectors(
  everywhere: ClassificationEntry,
  ofServer: ClassificationEntry,
): ReadonlyMap<DetectorKind, string> {
  return new Map(
    detectorKinds.flatMap((kind) => {
      const said = ofServer?.detectors[kind] ?? everywhere?.detectors[kind] ?? defaultClasses[kind];
      return said === false ? [] : [[kind, said] as const];
    }),
  );
}
