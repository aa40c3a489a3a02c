/**
 * The shape of a policy source and of a layer of the organisation: where its bundle comes from, when
 * it is asked, and how much of what it says is enforced. What depends on other keys is in
 * `layer-rules.ts`.
 */
import * as z from "zod/mini";
import { layerKinds } from "../contract/bundle.ts";
import { sourceCadenceShape } from "./cadence-schema.ts";
import { canaryShape } from "./canary-schema.ts";
import { sourceTrustShape } from "./trust-schema.ts";

const organisationKinds = layerKinds.filter((kind) => kind !== "server");
const text = z.string().check(z.minLength(1));
const patterns = z.optional(z.array(text).check(z.minLength(1)));

export const policySourceSchema = z
  .union([text, z.strictObject({ bundle: text, ...sourceTrustShape, ...sourceCadenceShape })])
  .check(
    z.describe(
      "oci://HOST/REPOSITORY:TAG, oci-layout:PATH:TAG, https://…/bundle.tar.gz, git+https://…#REF:PATH or file:PATH",
    ),
  );

/** What may be tried beside a policy. */
export const companionShape = {
  shadow: z
    .optional(policySourceSchema)
    .check(z.describe("A bundle that is asked about what was decided, and never decides")),
  canary: z
    .optional(z.strictObject({ policy: policySourceSchema, ...canaryShape }))
    .check(z.describe("A bundle that is asked about some principals, and can only tighten")),
};

const condition = z.strictObject({
  servers: patterns.check(z.describe("Ids of servers; a trailing * stands for any rest")),
  agents: patterns.check(z.describe("Ids of agents; a trailing * stands for any rest")),
  regions: patterns.check(z.describe("Values of environment.region; a trailing * for any rest")),
  is_production: z.optional(z.boolean()).check(z.describe("Value of environment.is_production")),
});

/** Everything of a layer but its name, which follows the grammar of ids. */
export const layerShape = {
  kind: z.enum(organisationKinds),
  policy: policySourceSchema,
  ...companionShape,
  when: z
    .optional(condition)
    .check(z.describe("All of it has to fit for the layer to be asked; default: always asked")),
  mode: z
    ._default(z.enum(["enforce", "observe"]), "enforce")
    .check(z.describe("observe: its denials and holds are recorded, not enforced; trial only")),
  until: z
    .optional(text)
    .check(z.describe("End of observe: a date (00:00 UTC) or a moment, RFC 3339")),
};
