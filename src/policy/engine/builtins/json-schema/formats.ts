/**
 * Formats that the validator in OPA checks; any other is an annotation.
 */
import { compilePattern } from "../compile-pattern.ts";
import { readAddress } from "../ip-network.ts";
import { parseGoUrl } from "../parse-go-url.ts";
import { parseTime } from "../parse-time.ts";

type IsFormat = (text: string) => boolean;

const atom = String.raw`[\w!#$%&'*+\-/=?^{|}~\u0080-\u{10ffff}` + "`]+";
const dotted = String.raw`${atom}(?:\.${atom})*`;
const quoted = String.raw`"(?:[^"\\\r\n]|\\.)*"`;
const address = String.raw`(?:${dotted}|${quoted})@(?:${dotted}|\[[^\[\]\\]*\])`;
const email = new RegExp(`^ *(?:${address}|(?:(?:${atom}|${quoted}|[. ])* )?<${address}>) *$`, "u");
const label = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
const hostname = new RegExp(String.raw`^${label}(?:\.${label})*$`);
const pointer = "(?:/(?:[^~/]|~0|~1)*)*";

const time = isTime("15:04:05", "15:04:05Z07:00");
const uriReference: IsFormat = (text) => parseGoUrl(text) !== undefined && !text.includes("\\");
const uri: IsFormat = (text) => uriReference(text) && parseGoUrl(text)?.scheme !== "";

/** By name. */
export const formats: ReadonlyMap<string, IsFormat> = new Map([
  ["date", isTime("2006-01-02")],
  ["time", time],
  ["date-time", isTime("15:04:05", "15:04:05Z07:00", "2006-01-02", "2006-01-02T15:04:05Z07:00")],
  ["hostname", (text) => text.length < 256 && hostname.test(text)],
  ["email", (text) => email.test(text)],
  ["idn-email", (text) => email.test(text)],
  ["ipv4", (text) => text.includes(".") && readAddress(text) !== undefined],
  ["ipv6", (text) => text.includes(":") && readAddress(text) !== undefined],
  ["uri", uri],
  ["uri-reference", uriReference],
  ["iri", uri],
  ["iri-reference", uriReference],
  ["uri-template", (text) => uriReference(text) && hasClosedBraces(parseGoUrl(text)?.path ?? "")],
  ["uuid", (text) => /^[a-f\d]{8}-[a-f\d]{4}-[a-f\d]{4}-[a-f\d]{4}-[a-f\d]{12}$/i.test(text)],
  ["regex", (text) => compilePattern(text) !== undefined],
  ["json-pointer", (text) => new RegExp(`^${pointer}$`).test(text)],
  [
    "relative-json-pointer",
    (text) => new RegExp(String.raw`^(?:0|[1-9]\d*)(?:#|${pointer})$`).test(text),
  ],
] satisfies readonly (readonly [string, IsFormat])[]);

function isTime(...layouts: readonly string[]): IsFormat {
  return (text) => layouts.some((layout) => parseTime(layout, text) !== undefined);
}

function hasClosedBraces(path: string): boolean {
  return !path.replace(/\{[^}]*\}/g, "").includes("{");
}
