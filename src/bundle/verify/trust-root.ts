/**
 * Trust roots of sigstore instances: certificate authorities, transparency logs and timestamp
 * authorities with their times of validity (`TrustedRoot` of sigstore's protobuf-specs). Read from
 * a file or built in, never fetched.
 */
import type { TrustMaterial } from "@sigstore/verify";
import * as z from "zod";
import { BundleError } from "../bundle-error.ts";
import { parseJson } from "../parse-json.ts";
import type { TrustRoot } from "./keyless.ts";

const certificatesSchema = z.looseObject({
  certChain: z.looseObject({
    certificates: z.array(z.looseObject({ rawBytes: z.base64() })).min(1),
  }),
});
const logSchema = z.looseObject({
  publicKey: z.looseObject({ rawBytes: z.base64(), keyDetails: z.string() }),
  logId: z.looseObject({ keyId: z.base64() }),
});
const rootSchema = z.looseObject({
  mediaType: z.string().startsWith("application/vnd.dev.sigstore.trustedroot"),
  certificateAuthorities: z.array(certificatesSchema).min(1),
  tlogs: z.array(logSchema).min(1),
  ctlogs: z.array(logSchema).min(1),
  timestampAuthorities: z.array(certificatesSchema).default([]),
});

/** The public good instance (`sigstore.dev`) as it was when this version was made. */
export const publicGoodRoot: TrustRoot = once(async () => {
  const { publicGoodRootJson } = await import("./public-good-root.ts");
  return await openRoot(JSON.parse(publicGoodRootJson));
});

/**
 * The root in the text of a `trusted_root.json`; its shape is checked at once, its keys when it is
 * first used.
 *
 * @param where - setting and file for messages
 * @throws BundleError `bundle_trust_invalid`
 */
export function readTrustRoot(text: string, where: string): TrustRoot {
  const parsed = rootSchema.safeParse(parseJson(text));
  if (!parsed.success) throw invalid(where, parsed.error.issues[0]?.path.join(".") ?? "");
  return once(async () => {
    try {
      return await openRoot(parsed.data);
    } catch (thrown) {
      throw invalid(where, "a key or certificate", thrown);
    }
  });
}

async function openRoot(json: unknown): Promise<TrustMaterial> {
  const { toTrustMaterial, TrustedRoot } = await import("./sigstore-packages.ts");
  return toTrustMaterial(TrustedRoot.fromJSON(json));
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return async () => await (made ??= make());
}

function invalid(where: string, place: string, cause?: unknown): BundleError {
  const expected =
    "a trusted_root.json with certificate authorities, transparency logs and certificate logs";
  const found = `something else at "${place}"`;
  return new BundleError("bundle_trust_invalid", `${where}: expected ${expected}, found ${found}`, {
    cause,
  });
}
