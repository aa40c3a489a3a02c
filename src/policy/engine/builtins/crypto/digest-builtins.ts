/**
 * `crypto.md5`, `crypto.sha1`, `crypto.sha256` and `crypto.hmac.*`: hexadecimal digests of a
 * string's bytes in UTF-8. The old functions are there because OPA has them; what is safe is the
 * policy author's choice.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Builtin, BuiltinGroup } from "../builtin.ts";
import { ofTexts } from "../operands.ts";
import { writeText } from "../values.ts";

export const digestBuiltins: BuiltinGroup = {
  "crypto.hmac.equal": ofTexts((left: string, right: string) => String(areEqual(left, right))),
  "crypto.hmac.md5": hmac("md5"),
  "crypto.hmac.sha1": hmac("sha1"),
  "crypto.hmac.sha256": hmac("sha256"),
  "crypto.hmac.sha512": hmac("sha512"),
  "crypto.md5": digest("md5"),
  "crypto.sha1": digest("sha1"),
  "crypto.sha256": digest("sha256"),
};

function digest(algorithm: string): Builtin {
  return ofTexts((text: string) => writeText(createHash(algorithm).update(text).digest("hex")));
}

function hmac(algorithm: string): Builtin {
  return ofTexts((text: string, key: string) =>
    writeText(createHmac(algorithm, key).update(text).digest("hex")),
  );
}

/** In a time that depends on the length only. */
function areEqual(left: string, right: string): boolean {
  const [ours, theirs] = [Buffer.from(left), Buffer.from(right)];
  return ours.length === theirs.length && timingSafeEqual(ours, theirs);
}
