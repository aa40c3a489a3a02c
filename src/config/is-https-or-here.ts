/**
 * Which URLs a configuration may name for what nobody else is to read.
 */

/** True for https, and for http to this machine, without a login in it. */
export function isHttpsOrHere(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== "" || password !== "") return false;
  const isHere = ["127.0.0.1", "localhost", "[::1]"].includes(hostname);
  return protocol === "https:" || (protocol === "http:" && isHere);
}
