/**
 * What no server may do with an elicitation, whatever policy says: ask for a secret in a form, or
 * send people to a page that is not protected on its way.
 */
import type { JsonObject } from "../../contract/json.ts";
import { isJsonObject } from "../../contract/json.ts";

const secretWords =
  /pass(word|wd|phrase|code)|secret|api[\s_-]?key|private[\s_-]?key|access[\s_-]?token|credential|\bcvv\b|\bcvc\b|\bpin\b/i;
const loopback = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** A sentence for the log; `undefined` where nothing is wrong. */
export function elicitationProblem(params: JsonObject): string | undefined {
  return params["mode"] === "url" ? urlProblem(params["url"]) : formProblem(params);
}

function urlProblem(url: unknown): string | undefined {
  if (typeof url !== "string" || !URL.canParse(url)) return "its url cannot be read";
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
    const title = isJsonObject(schema) ? schema["title"] : undefined;
    const words = name.replace(/([a-z])([A-Z])/g, "$1_$2").replaceAll("_", " ");
    return (
      secretWords.test(words) ||
      secretWords.test(name) ||
      (typeof title === "string" && secretWords.test(title))
    );
  });
  return secret === undefined ? undefined : "it asks for a secret in a form";
}
