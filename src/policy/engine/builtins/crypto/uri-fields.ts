/**
 * A URI in the fields of Go's `url.URL`, which is how certificates show theirs.
 */
import { escapeAll, unescapePercent } from "../percent-encoding.ts";
import type { ExactJson } from "./exact-json.ts";

const parts =
  /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?:\/\/(?:([^/?#]*)@)?([^/?#]*))?([^?#]*)(\?[^#]*)?(?:#(.*))?$/s;
/** What Go leaves as it is in a path. */
const pathCharacter = /[A-Za-z0-9\-._~$&+,/:;=@]/;

/** The fields by Go's names. */
export function uriFields(uri: string): ExactJson {
  const [, scheme = "", user, host = "", rest = "", query, fragment = ""] = parts.exec(uri) ?? [];
  const isOpaque = scheme !== "" && host === "" && rest !== "" && !rest.startsWith("/");
  const path = isOpaque ? "" : rest;
  const plain = unescaped(path);
  return {
    Scheme: scheme.toLowerCase(),
    Opaque: isOpaque ? rest : "",
    User: user === undefined ? null : {},
    Host: host,
    Path: plain,
    RawPath: escapeAll(plain, pathCharacter) === path ? "" : path,
    OmitHost: false,
    ForceQuery: query === "?",
    RawQuery: query?.slice(1) ?? "",
    Fragment: unescaped(fragment),
    RawFragment: "",
  };
}

function unescaped(text: string): string {
  const plain = unescapePercent(text);
  if (plain === undefined) throw new Error("expected a uri, found an escape of nothing");
  return plain;
}
