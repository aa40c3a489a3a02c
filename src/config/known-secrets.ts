/**
 * The secrets of a configuration, so that they can be kept out of logs and records whoever repeats
 * them: what references brought, and what stands literally where only secrets do.
 */
import type { ConfigPath } from "./config-document.ts";

/** Shorter ones are words, and would take those out of everything. */
const leastCharacters = 8;
const secretName = /auth|token|key|secret|cookie|passw|credential/i;

/** Secrets in one string of the configuration; `brought`: what references in it stand for. */
export function secretsIn(
  text: string,
  path: ConfigPath,
  brought: readonly string[],
): readonly string[] {
  const isSecret = secretName.test(String(path.at(-1)));
  const whole = isSecret ? [text, text.replace(/^(?:Bearer|Basic|Token) +/i, "")] : [];
  const all = [...brought, ...whole, ...brought.flatMap(linesOf)];
  return [...all.filter(isLong), ...secretsOfUrl(text)];
}

/** Of a URL the password, and what its query calls a key, as they are written and as they are meant. */
export function secretsOfUrl(text: string): readonly string[] {
  if (!text.includes("://") || !URL.canParse(text)) return [];
  const { password, searchParams } = new URL(text);
  const values = [...searchParams].filter(([name]) => secretName.test(name));
  return [password, decoded(password), ...values.map(([, value]) => value)].filter(isLong);
}

function isLong({ length }: string): boolean {
  return length >= leastCharacters;
}

/** Of a key in PEM each line is one. */
function linesOf(text: string): readonly string[] {
  return text.split(/\r?\n/).filter((line) => line.length >= 32 && !line.startsWith("-----"));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
