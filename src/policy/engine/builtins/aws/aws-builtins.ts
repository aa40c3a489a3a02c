/**
 * `providers.aws.sign_req`: a request with the headers of AWS Signature Version 4, at the time that
 * the policy says. It asks nobody; the request is sent, if ever, by who reads the decision.
 */
import type { OpaMember, OpaValue } from "../../opa-value.ts";
import type { Builtin, BuiltinGroup } from "../builtin.ts";
import { undefinedOnError } from "../crypto/undefined-on-error.ts";
import { marshalGoJson } from "../go-json.ts";
import { int64Of, memberOf, textOf } from "../operands.ts";
import { parseGoUrl } from "../parse-go-url.ts";
import { writeObject, writeText, writeValue } from "../values.ts";
import { signHeaders } from "./sign-headers.ts";
import type { Credentials } from "./sign-headers.ts";

/** Members that OPA knows in a request; any other is an error. */
const requestMembers = new Set([
  "body",
  "cache",
  "cache_ignored_headers",
  "caching_mode",
  "enable_redirect",
  "force_cache",
  "force_cache_duration_seconds",
  "force_json_decode",
  "force_yaml_decode",
  "headers",
  "max_retry_attempts",
  "method",
  "raise_error",
  "raw_body",
  "timeout",
  "tls_ca_cert",
  "tls_ca_cert_env_variable",
  "tls_ca_cert_file",
  "tls_client_cert",
  "tls_client_cert_env_variable",
  "tls_client_cert_file",
  "tls_client_key",
  "tls_client_key_env_variable",
  "tls_client_key_file",
  "tls_insecure_skip_verify",
  "tls_server_name",
  "tls_use_system_certs",
  "url",
]);
const nsPerMs = 1_000_000n;

const signRequest: Builtin = ([request, config, time]) => {
  const timeNs = int64Of(time);
  const credentials = readCredentials(config);
  if (request?.kind !== "object" || timeNs === undefined || credentials === undefined) {
    return undefined;
  }
  const [method, urlText] = [memberOf(request, "method"), memberOf(request, "url")].map(textOf);
  const url = urlText === undefined ? undefined : parseGoUrl(urlText);
  const headers = readHeaders(memberOf(request, "headers"));
  if (method === undefined || url === undefined || headers === undefined) return undefined;
  if (!request.members.every(([key]) => requestMembers.has(textOf(key) ?? ""))) return undefined;
  const signed = signHeaders({
    method,
    url,
    headers,
    body: bodyOf(request),
    credentials,
    timeMs: Number((timeNs - floorRemainder(timeNs)) / nsPerMs),
  });
  return writeRequest(request.members, signed);
};

export const awsBuiltins: BuiltinGroup = {
  "providers.aws.sign_req": undefinedOnError(signRequest),
};

/** Undefined where one is missing or of another type. */
function readCredentials(config: OpaValue | undefined): Credentials | undefined {
  const text = (name: string): string | undefined => textOf(memberOf(config, name));
  const unsigned = memberOf(config, "disable_payload_signing");
  const [service, accessKey] = [text("aws_service"), text("aws_access_key")];
  const [secretKey, region] = [text("aws_secret_access_key"), text("aws_region")];
  if (service === undefined || accessKey === undefined) return undefined;
  if (secretKey === undefined || region === undefined) return undefined;
  if (unsigned !== undefined && unsigned.kind !== "boolean") return undefined;
  const sessionToken = text("aws_session_token") ?? "";
  const isPayloadSigned = unsigned?.text !== "true";
  return { service, accessKey, secretKey, region, sessionToken, isPayloadSigned };
}

function readHeaders(headers: OpaValue | undefined): ReadonlyMap<string, string> | undefined {
  if (headers === undefined) return new Map();
  if (headers.kind !== "object") return undefined;
  return new Map(headers.members.map(([key, value]) => [textOf(key) ?? "", textOf(value) ?? ""]));
}

function bodyOf(request: OpaValue): string {
  const [raw, body] = [memberOf(request, "raw_body"), memberOf(request, "body")];
  if (raw !== undefined) return textOf(raw) ?? "";
  return body === undefined ? "" : marshalGoJson(body);
}

function writeRequest(members: readonly OpaMember[], headers: ReadonlyMap<string, string>): string {
  const others = members.filter(([key]) => textOf(key) !== "headers");
  const written = [...headers].map(([name, value]) => [writeText(name), writeText(value)] as const);
  return writeObject([
    ...others.map(([key, value]) => [writeValue(key), writeValue(value)] as const),
    [writeText("headers"), writeObject(written)],
  ]);
}

/** What is left of a division that rounds down, before the epoch as well. */
function floorRemainder(timeNs: bigint): bigint {
  return ((timeNs % nsPerMs) + nsPerMs) % nsPerMs;
}
