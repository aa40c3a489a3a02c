/**
 * AWS Signature Version 4 over a request's method, URL, headers and body.
 */
import { createHash, createHmac } from "node:crypto";
import { compareTexts } from "../compare-opa-values.ts";
import type { GoUrl } from "../parse-go-url.ts";
import { escapeAll } from "../percent-encoding.ts";

export interface Credentials {
  readonly service: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region: string;
  /** Empty where there is none. */
  readonly sessionToken: string;
  readonly isPayloadSigned: boolean;
}

export interface UnsignedRequest {
  readonly method: string;
  readonly url: GoUrl;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  readonly credentials: Credentials;
  readonly timeMs: number;
}

/** What proxies on the way may change. */
const unsignedHeaders = new Set(["authorization", "user-agent", "x-amzn-trace-id"]);
const servicesWithBodyDigest = new Set(["s3", "glacier"]);
const keptInPath = /[A-Za-z0-9\-._~$&+,/:;=@]/;
const writtenPath = /^[A-Za-z0-9\-._~!$&'()*+,;=:@[\]%/]*$/;

/** The request's headers with those that sign it. */
export function signHeaders(request: UnsignedRequest): ReadonlyMap<string, string> {
  const { headers, credentials, body } = request;
  const moment = new Date(request.timeMs).toISOString().replace(/\.\d+|[-:]/g, "");
  const bodyDigest = credentials.isPayloadSigned ? sha256(body) : "UNSIGNED-PAYLOAD";
  const own = ownHeaders(request, moment, bodyDigest);
  const signed = new Map(own);
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (!unsignedHeaders.has(lower)) signed.set(lower, value);
  }
  const names = [...signed.keys()].toSorted(compareTexts);
  const canonical = canonicalRequest(request, { signed, names, bodyDigest });
  const scope = [moment.slice(0, 8), credentials.region, credentials.service, "aws4_request"];
  const text = ["AWS4-HMAC-SHA256", moment, scope.join("/"), sha256(canonical)].join("\n");
  const signature = hmac(signingKey(credentials, scope), text).toString("hex");
  const authorization =
    `AWS4-HMAC-SHA256 Credential=${[credentials.accessKey, ...scope].join("/")},` +
    `SignedHeaders=${names.join(";")},Signature=${signature}`;
  return new Map([...headers, ["Authorization", authorization], ...own]);
}

function ownHeaders(
  { url, credentials }: UnsignedRequest,
  moment: string,
  bodyDigest: string,
): ReadonlyMap<string, string> {
  const own = new Map([
    ["host", hostOf(url)],
    ["x-amz-date", moment],
  ]);
  if (servicesWithBodyDigest.has(credentials.service)) own.set("x-amz-content-sha256", bodyDigest);
  if (credentials.sessionToken !== "") own.set("x-amz-security-token", credentials.sessionToken);
  return own;
}

function canonicalRequest(
  { method, url }: UnsignedRequest,
  of: { signed: ReadonlyMap<string, string>; names: readonly string[]; bodyDigest: string },
): string {
  const lines = of.names.map((name) => `${name}:${of.signed.get(name) ?? ""}`);
  const head = [method, pathOf(url), url.rawQuery, ...lines, ""];
  return [...head, of.names.join(";"), of.bodyDigest].join("\n");
}

function signingKey({ secretKey }: Credentials, scope: readonly string[]): Buffer {
  return scope.reduce<Buffer>((key, part) => hmac(key, part), Buffer.from(`AWS4${secretKey}`));
}

function hostOf({ hostname, port }: GoUrl): string {
  const name = hostname.includes(":") ? `[${hostname}]` : hostname;
  return port === "" ? name : `${name}:${port}`;
}

/** Go's `EscapedPath`: as it was written where that is in order. */
function pathOf({ path, rawPath }: GoUrl): string {
  const isWritten = rawPath !== path && writtenPath.test(rawPath);
  return isWritten ? rawPath : escapeAll(path, keptInPath);
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
