/**
 * Keeps secrets out of the gateway's own log: each text of a line goes through the detectors, and what
 * the configuration keeps secret is taken out wherever it stands. Servers and libraries write what
 * they like into errors and on stderr.
 */
import type { DetectorKind } from "../../contract/detector-kind.ts";
import type { Detectors } from "./detect-in-text.ts";
import { maskFound } from "./detect-in-text.ts";
import { Echoes } from "./echoes.ts";
import { decodeString, rewriteJson } from "./rewrite-json.ts";
import type { Visitor } from "./rewrite-json.ts";

export interface ScrubOptions {
  readonly detectors: Detectors;
  readonly kinds: readonly DetectorKind[];
  readonly secrets: readonly string[];
}

const mark = "[masked]";
const token = (): string => mark;

/** Takes secrets out of one text; `name`: of the member that holds it, where there is one. */
export function textScrubber({
  detectors,
  kinds,
  secrets,
}: ScrubOptions): (text: string, name: string | undefined) => string {
  const echoes = new Echoes(secrets);
  return (text, name) => {
    const clean = echoes.replace(text, token) ?? text;
    return maskFound({ detectors, kinds, token }, clean, name) ?? clean;
  };
}

/** Takes secrets out of one line of JSON; of a line that cannot be read nothing is left. */
export function lineScrubber(options: ScrubOptions): (line: string) => string {
  const scrubbed = textScrubber(options);
  const visitor: Visitor<string | undefined> = {
    visit: (name, found) => {
      if (found.kind !== "string") return { kind: "enter" };
      const text = decodeString(found.text());
      const written = scrubbed(text, name);
      return written === text ? { kind: "keep" } : { kind: "put", text: JSON.stringify(written) };
    },
    member: (_, name) => ({ place: name, name: scrubbed(name, undefined) }),
    item: (name) => name,
  };
  return (line) => {
    try {
      const text = line.trimEnd();
      return `${rewriteJson(text, undefined, visitor)}\n`;
    } catch {
      return `{"level":"error","msg":"a line of the log could not be read and is left out"}\n`;
    }
  };
}
