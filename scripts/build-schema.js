/**
 * Writes `schema/mcp-gateway.schema.json`, which editors use, and `schema/release.schema.json` from
 * the schemas that check the files.
 * Reads `dist`, so `npm run build` comes first; a test fails when the result is stale.
 */
import { writeFileSync } from "node:fs";

const { configJsonSchema } = await import("../dist/config/config-schema.js");
const { releaseJsonSchema } = await import("../dist/bundle/release/release-document.js");
write("mcp-gateway.schema.json", configJsonSchema());
write("release.schema.json", releaseJsonSchema());

/**
 * @param {string} name
 * @param {object} schema
 */
function write(name, schema) {
  const target = new URL(`../schema/${name}`, import.meta.url);
  writeFileSync(target, `${JSON.stringify(schema, null, 2)}\n`);
}
