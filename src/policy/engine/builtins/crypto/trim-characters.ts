/**
 * Go's `strings.Trim`, in linear time: a pattern that ends in `+$` looks at a long run again from
 * each of its characters.
 */

/** A text without any of the characters at its ends. */
export function trimCharacters(text: string, characters: string): string {
  let [start, end] = [0, text.length];
  while (start < end && characters.includes(text.charAt(start))) start += 1;
  while (end > start && characters.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}
