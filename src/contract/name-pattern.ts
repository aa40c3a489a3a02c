/**
 * Patterns of names, wherever an operator or a policy writes one: `*` alone, an exact name, or a
 * prefix with one trailing `*`. There is no other wildcard, so that a reader sees at once what a
 * pattern holds.
 */

/** True where `name` is what the pattern says. A `*` anywhere but at the end is a plain letter. */
export function matchesPattern(pattern: string, name: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
