/**
 * What a registry asks for in `WWW-Authenticate` (RFC 9110 §11.6.1): several challenges in one
 * header, each a scheme with parameters. A name inside a quoted value is no scheme.
 */

/** One challenge; names in lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** More than any registry sends; what follows is not read. */
const maxHeaderLength = 8192;
const schemeStart = /^[\s,]*([A-Za-z][\w-]*)(?=\s+[^\s=,]|\s*(?:,|$))/;
const parameter = /^[\s,]*([A-Za-z][\w-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))/;

/** The challenges of a header, in order; what is not one ends the reading. */
export function readChallenges(header: string | undefined): readonly Challenge[] {
  let rest = (header ?? "").slice(0, maxHeaderLength);
  const found: { scheme: string; parameters: Map<string, string> }[] = [];
  while (rest !== "") {
    const pair = found.length === 0 ? null : parameter.exec(rest);
    if (pair !== null) {
      const [, name = "", quoted, bare = ""] = pair;
      const value = quoted === undefined ? bare : quoted.replace(/\\(.)/g, "$1");
      // Said twice, the first counts: nothing that follows can change where credentials go.
      const { parameters } = found.at(-1) ?? { parameters: new Map<string, string>() };
      if (!parameters.has(name.toLowerCase())) parameters.set(name.toLowerCase(), value);
      rest = rest.slice(pair[0].length);
      continue;
    }
    const scheme = schemeStart.exec(rest);
    if (scheme === null) break;
    found.push({ scheme: (scheme[1] ?? "").toLowerCase(), parameters: new Map() });
    rest = rest.slice(scheme[0].length);
  }
  return found;
}

/** Lower-case names of the schemes that a header offers. */
export function challengeSchemes(header: string | undefined): ReadonlySet<string> {
  return new Set(readChallenges(header).map(({ scheme }) => scheme));
}
