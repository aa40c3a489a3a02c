/**
 * Why nothing of a policy is on this machine where no gateway has had a bundle of it yet, and what to
 * do about that.
 */

/** For a row of `bundle list` in this state; `undefined` where there is nothing to say. */
export function whyNotHere(state: string, reference: string): string | undefined {
  switch (state) {
    case "not_pulled":
      return `no gateway has asked for ${reference} yet, and it is not in the cache; start a gateway, or run bundle pull ${reference}`;
    case "not_asked":
      return `no gateway has asked for ${reference} yet; start one`;
    default:
      return undefined;
  }
}
