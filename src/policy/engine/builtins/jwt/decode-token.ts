/**
 * `io.jwt.decode`, which trusts nobody, and `io.jwt.decode_verify`, which answers what a token says
 * only where its signature and all constraints hold.
 */
import type { OpaValue } from "../../opa-value.ts";
import type { Builtin } from "../builtin.ts";
import { compareOpaValues } from "../compare-opa-values.ts";
import { trimCharacters } from "../crypto/trim-characters.ts";
import { decodeUtf8 } from "../go-utf8.ts";
import { ofTexts, textOf } from "../operands.ts";
import { writeArray, writeText, writeValue } from "../values.ts";
import { algorithmOf, isSigned } from "./algorithms.ts";
import {
  decodePart,
  member,
  readHeader,
  readHeaderObject,
  readObject,
  splitToken,
} from "./compact-token.ts";
import type { CompactToken, JsonObjectValue, TokenHeader } from "./compact-token.ts";
import { readConstraints } from "./token-constraints.ts";
import type { TokenConstraints } from "./token-constraints.ts";
import type { TokenKey } from "./verification-keys.ts";

interface VerifiedToken {
  readonly header: JsonObjectValue;
  readonly payload: JsonObjectValue;
}

const notVerified = "[false,{},{}]";
const nsPerSecond = 1e9;
/** A token in a token in a token: no honest one goes as deep. */
const maxNesting = 32;

export const decode: Builtin = ofTexts((text: string) => decodeNested(text, maxNesting));

export const decodeVerify: Builtin = ([token, given], context) => {
  const constraints = readConstraints(given, context);
  const text = textOf(token);
  if (text === undefined) return undefined;
  const verified = verifyNested(text, constraints);
  if (verified === undefined || !areClaimsMet(verified.payload, constraints)) return notVerified;
  return writeArray(["true", writeValue(verified.header), writeValue(verified.payload)]);
};

function decodeNested(text: string, left: number): string {
  const token = splitToken(text);
  const header = readHeaderObject(token);
  const payload = decodeUtf8(decodePart(token.payload));
  const contentType = member(header, "cty");
  if (contentType !== undefined && contentType.kind !== "string") throw invalidToken();
  if (contentType?.value === "JWT") {
    if (left === 0) throw invalidToken();
    return decodeNested(trimCharacters(payload, "\"'"), left - 1);
  }
  const signature = decodePart(token.signature).toString("hex");
  return writeArray([writeValue(header), writeValue(readObject(payload)), writeText(signature)]);
}

/** The innermost token, where every one around it is signed as well. */
function verifyNested(text: string, constraints: TokenConstraints): VerifiedToken | undefined {
  let inner = text;
  for (let left = maxNesting; left > 0; left -= 1) {
    const token = splitToken(inner);
    const header = readHeader(token);
    if (!header.isValid || (constraints.alg !== "" && constraints.alg !== header.alg)) {
      return undefined;
    }
    if (!isTokenSigned(token, header, constraints)) return undefined;
    const payload = decodeUtf8(decodePart(token.payload));
    if (header.cty.toUpperCase() !== "JWT") {
      return { header: header.value, payload: readObject(payload) };
    }
    inner = payload;
  }
  throw invalidToken();
}

/** By the key with the token's id where there is one, else by any that is for its algorithm. */
function isTokenSigned(
  token: CompactToken,
  { alg, kid }: TokenHeader,
  { keys }: TokenConstraints,
): boolean {
  const signature = decodePart(token.signature);
  const algorithm = algorithmOf(alg);
  if (algorithm === undefined) return false;
  const bytes = { signed: token.signed, signature };
  const isBy = ({ key }: TokenKey): boolean => isSigned(algorithm, key, bytes);
  const named = kid === "" ? undefined : keys.find((key) => key.kid === kid);
  if (named !== undefined) return isBy(named);
  return keys.some((key) => (key.alg === "" || key.alg === alg) && isBy(key));
}

function areClaimsMet(payload: JsonObjectValue, constraints: TokenConstraints): boolean {
  const { iss, aud, timeNs } = constraints;
  const claim = (name: string): OpaValue | undefined => member(payload, name);
  if (iss !== "" && textOf(claim("iss")) !== iss) return false;
  if (!isAudience(claim("aud"), aud)) return false;
  const now: OpaValue = { kind: "number", text: String(timeNs / nsPerSecond) };
  const [expires, begins] = [timeClaim(claim("exp")), timeClaim(claim("nbf"))];
  if (expires !== undefined && compareOpaValues(now, expires) >= 0) return false;
  return begins === undefined || compareOpaValues(now, begins) >= 0;
}

/** Who a token is for has to be demanded, and a token that is for nobody may not be. */
function isAudience(claim: OpaValue | undefined, wanted: string): boolean {
  if (claim === undefined) return wanted === "";
  if (claim.kind === "string") return claim.value === wanted;
  return claim.kind === "array" && claim.items.some((item) => textOf(item) === wanted);
}

function timeClaim(claim: OpaValue | undefined): OpaValue | undefined {
  if (claim !== undefined && claim.kind !== "number") throw invalidToken();
  return claim;
}

function invalidToken(): Error {
  return new Error("expected a token of claims, found another");
}
