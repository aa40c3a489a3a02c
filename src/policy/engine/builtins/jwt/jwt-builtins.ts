/**
 * `io.jwt.*`: tokens of JSON claims, decoded, verified and signed, with Node's cryptography and at
 * the decision's time.
 */
import { createSecretKey } from "node:crypto";
import type { Builtin, BuiltinGroup } from "../builtin.ts";
import { undefinedOnError } from "../crypto/undefined-on-error.ts";
import { ofTexts } from "../operands.ts";
import { algorithms, coordinateBytes, isSigned } from "./algorithms.ts";
import type { Algorithm } from "./algorithms.ts";
import { decodePart, readHeader, splitToken } from "./compact-token.ts";
import { decode, decodeVerify } from "./decode-token.ts";
import { encodeSign, encodeSignRaw } from "./sign-token.ts";
import { readVerificationKeys } from "./verification-keys.ts";
import type { TokenKey } from "./verification-keys.ts";

const builtins: Readonly<Record<string, Builtin>> = {
  "io.jwt.decode": decode,
  "io.jwt.decode_verify": decodeVerify,
  "io.jwt.encode_sign": encodeSign,
  "io.jwt.encode_sign_raw": encodeSignRaw,
  ...Object.fromEntries(
    Object.entries(algorithms).map(([name, algorithm]) => [
      `io.jwt.verify_${name.toLowerCase()}`,
      algorithm.family === "hmac" ? verifyBySecret(algorithm) : verifyByKeys(algorithm),
    ]),
  ),
};

export const jwtBuiltins: BuiltinGroup = Object.fromEntries(
  Object.entries(builtins).map(([name, builtin]) => [name, undefinedOnError(builtin)]),
);

function verifyBySecret(algorithm: Algorithm): Builtin {
  return ofTexts((text: string, secret: string) => {
    const { signed, signature } = splitToken(text);
    const key = createSecretKey(Buffer.from(secret));
    return String(isSigned(algorithm, key, { signed, signature: decodePart(signature) }));
  });
}

/** By the algorithm that the builtin's name says, whatever the token says of itself. */
function verifyByKeys(algorithm: Algorithm): Builtin {
  return ofTexts((text: string, certificate: string) => {
    const token = splitToken(text);
    const keys = readVerificationKeys(certificate);
    const signature = decodePart(token.signature);
    const { alg, kid } = readHeader(token);
    const isBy = ({ key }: TokenKey): boolean =>
      key.type === "public" &&
      isSigned(algorithm, key, {
        signed: token.signed,
        signature:
          algorithm.family === "ec" ? fitted(signature, key.asymmetricKeyDetails) : signature,
        anySalt: true,
      });
    const named = kid === "" ? undefined : keys.find((key) => key.kid === kid);
    if (named !== undefined) return String(isBy(named));
    return String(keys.some((key) => (key.alg === "" || key.alg === alg) && isBy(key)));
  });
}

/** OPA takes coordinates of any length; Node those of the curve. */
function fitted(signature: Buffer, details: { namedCurve?: string } | undefined): Buffer {
  const size = coordinateBytes[details?.namedCurve ?? ""] ?? 0;
  const half = Math.floor(signature.length / 2);
  const parts = [signature.subarray(0, half), signature.subarray(half)].map((part) => {
    const digits = part.toString("hex").replace(/^(?:00)+/, "");
    return digits.padStart(size * 2, "0");
  });
  return Buffer.from(parts.join(""), "hex");
}
