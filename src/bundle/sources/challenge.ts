/**
 * What a registry asks for in `WWW-Authenticate` (RFC 9110 §11.6.1): only the names of the schemes
 * matter here, and a name inside a quoted value is no scheme.
 */

/** Lower-case names of the schemes that a header offers. */
export function challengeSchemes(header: string | undefined): ReadonlySet<string> {
  const unquoted = (header ?? "").replace(/"(?:[^"\\]|\\.)*"/g, '""');
  const schemes = [...unquoted.matchAll(/(?:^|,)\s*([A-Za-z][\w-]*)(?=\s+[^\s=,]|\s*(?:,|$))/g)];
  return new Set(schemes.map(([, name = ""]) => name.toLowerCase()));
}
