/**
 * What no server may do with an elicitation, whatever policy says: ask for a secret in a form, or
 * send people to a page that is not protected on its way, or to another page than it seems. Words
 * are a net with holes; what a server may ask at all is the operator's and its policy's to say.
 */
import type { Json, JsonObject } from "../../contract/json.ts";
import { isJsonObject } from "../../contract/json.ts";

const secretWords =
  /passw(or|d)|passphrase|passcode|kennwort|secret|credential|api ?key|private ?key|(access|auth|bearer|refresh|session) ?token|\b(otp|totp|cvv|cvc|pin|ssn|mnemonic)\b|(seed|recovery) ?phrase|(card|account|social security) ?number/i;
const loopback = new Set(["localhost", "127.0.0.1", "[::1]"]);
/** What the eye takes for a Latin letter, or a filter for another word. */
const lookalikes = new Map(
  ["o0оο", "i1і", "e3е", "a4@аα", "s5$ѕ", "pр", "cс", "yу", "kк"].flatMap((letters) =>
    Array.from(letters, (letter) => [letter, letters.charAt(0)] as const),
  ),
);

/** A sentence for the log; `undefined` where nothing is wrong. */
export function elicitationProblem(params: JsonObject): string | undefined {
  const { mode = "form", url } = params;
  if (mode === "url") return urlProblem(url);
  if (mode !== "form") return "its mode is neither form nor url";
  return url === undefined ? formProblem(params) : "it has a url in a form";
}

function urlProblem(url: unknown): string | undefined {
  if (typeof url !== "string" || !URL.canParse(url)) return "its url cannot be read";
  // Readers differ in what they make of these, so that people would not go where it was judged.
  if (!/^https?:\/\/[^\s\\\p{C}]+$/iu.test(url)) return "its url can be read in more than one way";
  const { protocol, hostname, username, password } = new URL(url);
  if (username !== "" || password !== "") return "its url carries credentials";
  if (protocol === "https:") return undefined;
  if (protocol === "http:" && loopback.has(hostname)) return undefined;
  return "its url is not https";
}

function formProblem({ requestedSchema }: JsonObject): string | undefined {
  const properties = isJsonObject(requestedSchema) ? requestedSchema["properties"] : undefined;
  if (!isJsonObject(properties)) return undefined;
  const secret = Object.entries(properties).find(([name, schema]) => {
    const { title, description, format, writeOnly } = isJsonObject(schema) ? schema : {};
    const words = [name, title, description].filter(isText);
    return format === "password" || writeOnly === true || words.some(isSecret);
  });
  return secret === undefined ? undefined : "it asks for a secret in a form";
}

function isText(value: Json | undefined): value is string {
  return typeof value === "string";
}

/** As words, as one word, and as what it looks like. */
function isSecret(text: string): boolean {
  const words = text
    .normalize("NFKC")
    .replaceAll(/\p{Cf}/gu, "")
    .replaceAll(/([a-z])([A-Z])/g, "$1 $2")
    .replaceAll(/[_.:/-]+/g, " ");
  const joined = words.replaceAll(" ", "");
  const looks = joined
    .toLowerCase()
    .replaceAll(/./gu, (letter) => lookalikes.get(letter) ?? letter);
  return [words, joined, looks].some((form) => secretWords.test(form));
}
