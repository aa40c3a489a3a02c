/**
 * Which principals a canary is asked about. Each canary draws anew, by a key that the gateways share
 * and nobody else has: whoever acts can neither compute nor choose whether they are in, every gateway
 * draws the same, and the next canary asks about others.
 */
import { createHmac } from "node:crypto";
import type { Principal } from "../../contract/principal.ts";

export interface Draw {
  /** Stands for the principal where it is counted; tells nothing about it. */
  readonly token: string;
  /** In [0, 100): the principal is in where its canary's percent is greater. */
  readonly at: number;
}

const drawnBytes = 6;
const drawnEnd = 2 ** (drawnBytes * 8);

/** Draws one principal for one canary: `place` is its name, `digest` that of its bundle. */
export function drawPrincipal(
  key: Buffer,
  { place, digest }: { readonly place: string; readonly digest: string },
  principal: Principal,
): Draw {
  const drawn = JSON.stringify(["canary", place, digest, vouchedFor(principal)]);
  const mac = createHmac("sha256", key).update(drawn).digest();
  const at = (mac.readUIntBE(0, drawnBytes) / drawnEnd) * 100;
  return { token: mac.toString("base64url"), at };
}

/** What nobody verified would be chosen anew until it is drawn as somebody likes. */
function vouchedFor({ key, tenant, user, agent }: Principal): readonly string[] {
  return agent.authenticated ? [key] : [tenant, user.id];
}
