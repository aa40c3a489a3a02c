/**
 * Keys and tokens: by the prefixes that services give theirs, and by a name that says so in front of
 * a value that looks made up by a machine.
 */
import type { Span } from "./detector.ts";
import { hasDigits, matchesOf, spansOf } from "./detector.ts";

/** No pattern starts inside a run of token characters, which keeps all of them linear. */
const edge = "(?<![A-Za-z0-9_-])";
const known = new RegExp(
  `${edge}(?:${[
    "(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}(?![0-9A-Za-z])", // AWS
    "gh[pousr]_[A-Za-z0-9]{36,255}", // GitHub
    "github_pat_[A-Za-z0-9_]{22,255}",
    "gl(?:pat|dt|rt|cbt|ptt|ft|soat)-[A-Za-z0-9_-]{20,}", // GitLab
    "xox[abeoprs]-[A-Za-z0-9-]{10,}", // Slack
    "xapp-[0-9]-[A-Za-z0-9-]{10,}",
    "AIza[A-Za-z0-9_-]{35}", // Google
    "ya29\\.[A-Za-z0-9_-]{20,}",
    "[rs]k_(?:live|test)_[A-Za-z0-9]{16,}", // Stripe
    "whsec_[A-Za-z0-9+/=]{24,}",
    "sk-(?:ant-|proj-|svcacct-|or-)?[A-Za-z0-9_-]{20,}", // model providers
    "hf_[A-Za-z0-9]{30,}",
    "npm_[A-Za-z0-9]{36}",
    "pypi-AgE[A-Za-z0-9_-]{30,}",
    "SG\\.[A-Za-z0-9_-]{16,32}\\.[A-Za-z0-9_-]{32,64}", // SendGrid
    "do[opr]_v1_[a-f0-9]{64}", // DigitalOcean
    "shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}", // Shopify
    "hv[sb]\\.[A-Za-z0-9_-]{24,}", // Vault
    "eyJ[A-Za-z0-9_-]{8,}\\.eyJ[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]{8,}", // JSON Web Token
  ].join("|")})`,
  "g",
);

const aName =
  "(?:pass(?:word|wd|phrase)?|pwd|secret|token|credential|api[_ -]?key|access[_ -]?key|client[_ -]?secret|secret[_ -]?key|auth[_ -]?key|private[_ -]?key|connection[_ -]?string)";
const named = new RegExp(
  `(?<![A-Za-z0-9])${aName}["']? {0,4}(?::=?|=>?|is) {0,4}["']?([^\\s"',;<>]{8,256})`,
  "gi",
);
const nameAlone = new RegExp(`(?:^|[^A-Za-z])${aName}$`, "i");
const bearer = /(?<![A-Za-z])(?:Bearer|Basic) {1,4}([A-Za-z0-9._~+/=-]{16,})/g;
const inUrl = /(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@/]{0,64}:([^\s@/]{3,128})@/gi;

/** A text that is shorter is none, and has none in it. */
const shortest = 8;

/** Finds values, without the name in front of them. */
export function findCredentials(text: string, name: string | undefined): readonly Span[] {
  if (text.length < shortest) return [];
  const inUrls = text.includes("://") ? valuesOf(text, inUrl, () => true) : [];
  const certain = [...spansOf(text, known), ...inUrls];
  // What is made up by a machine has digits in it.
  if (!hasDigits(text, 1)) return certain;
  const whole = name !== undefined && isMadeUp(text.trim()) && nameAlone.test(spaced(name));
  return [
    ...(whole ? [{ start: 0, end: text.length }] : []),
    ...certain,
    ...valuesOf(text, named, isMadeUp),
    ...valuesOf(text, bearer, isMadeUp),
  ];
}

/** The part in parentheses, which each pattern has at its end. */
function valuesOf(
  text: string,
  pattern: RegExp,
  isReal: (value: string) => boolean,
): readonly Span[] {
  return matchesOf(text, pattern).flatMap((match) => {
    const value = match[1] ?? "";
    const start = match.index + match[0].lastIndexOf(value);
    return isReal(value) ? [{ start, end: start + value.length }] : [];
  });
}

/** `apiKey` as words. */
function spaced(name: string): string {
  return name.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, "_");
}

/** Not a word, a path, a placeholder or a date: letters beside digits, and no few characters again and again. */
function isMadeUp(value: string): boolean {
  if (value.length < 8 || value.length > 4096 || /\s/.test(value)) return false;
  if (/^[$%{<[*]|[*x.]{4,}|\.{3}$/i.test(value)) return false;
  if (!/\d/.test(value) || !/[A-Za-z]/.test(value)) return false;
  return bitsPerCharacter(value.slice(0, 256)) >= 2.5;
}

/** Shannon's entropy of the characters. */
function bitsPerCharacter(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values())
    bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}
