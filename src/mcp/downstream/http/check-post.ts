/**
 * What the headers of a POST have to say before its body is read: one JSON message in UTF-8 without
 * any encoding, from a client that takes both kinds of answer.
 */
import type { RequestHeaders } from "./read-headers.ts";
import type { Refusal } from "./refusal.ts";
import { refusal } from "./refusal.ts";

/** What most clients send, which needs no taking apart. */
const usualAccept = "application/json, text/event-stream";

/** The first thing that is wrong. */
export function checkPost(headers: RequestHeaders): Refusal | undefined {
  if (!isJson(headers.get("content-type"))) {
    return refusal(415, "expected Content-Type application/json, in UTF-8");
  }
  const encoding = headers.get("content-encoding");
  if (encoding !== undefined && encoding.trim().toLowerCase() !== "identity") {
    return refusal(415, "expected a body without Content-Encoding");
  }
  const isAccepted = accepts(headers, "application/json") && accepts(headers, "text/event-stream");
  if (isAccepted) return undefined;
  return refusal(406, "expected Accept to have both application/json and text/event-stream");
}

/** What a GET has to say. */
export function checkGet(headers: RequestHeaders): Refusal | undefined {
  if (accepts(headers, "text/event-stream")) return undefined;
  return refusal(406, "expected Accept to have text/event-stream");
}

/** Only UTF-8 is JSON (RFC 8259 §8.1); a parameter that says otherwise is not argued with. */
function isJson(contentType: string | undefined): boolean {
  if (contentType === "application/json") return true;
  const [type = "", ...parameters] = (contentType ?? "").split(";").map((part) => part.trim());
  if (type.toLowerCase() !== "application/json") return false;
  return parameters.every((part) => part === "" || /^charset="?utf-8"?$/i.test(part));
}

/** RFC 9110 §12.5.1, as far as two media types need it. */
function accepts(headers: RequestHeaders, wanted: string): boolean {
  const ranges = headers.get("accept") ?? "";
  if (ranges === usualAccept) return true;
  const group = `${wanted.split("/")[0] ?? ""}/*`;
  return ranges.split(",").some((range) => {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    if (type !== wanted && type !== group && type !== "*/*") return false;
    return !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
  });
}
