/**
 * Writes the licences of everything that is linked into the program to stdout: for each text the
 * modules that are under it. Reads lines of `MODULE VERSION FOLDER` from stdin.
 *
 * Usage: go list … | node licenses.js GOROOT
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";

const [goRoot = ""] = process.argv.slice(2);
const lines = (await text(process.stdin)).split("\n").filter((line) => line !== "");

/** @type {Map<string, string[]>} */
const modulesByText = new Map();
collect("Go runtime, standard library and wasm_exec.js", goRoot);
for (const line of lines) {
  const [path = "", version = "", folder = ""] = line.split(" ");
  collect(`${path} ${version}`, folder);
}
for (const [licence, modules] of modulesByText) {
  process.stdout.write(`${"=".repeat(78)}\n${modules.join("\n")}\n${"=".repeat(78)}\n\n`);
  process.stdout.write(`${licence}\n\n`);
}

/**
 * @param {string} subject
 * @param {string} folder
 */
function collect(subject, folder) {
  const names = readdirSync(folder, { recursive: folder !== goRoot, encoding: "utf8" })
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => /(^|\/)(licen[cs]e|copying|notice|patents)[^/]*$/i.test(name));
  if (names.length === 0) throw new Error(`expected a licence of ${subject}, found none`);
  for (const name of names.toSorted()) {
    const licence = readFileSync(join(folder, name), "utf8").trim();
    modulesByText.set(licence, [...(modulesByText.get(licence) ?? []), `${subject} (${name})`]);
  }
}
