/**
 * Writes `schema/mcp-gateway.schema.json`, which editors use, from the schema that checks the file.
 * Reads `dist`, so `npm run build` comes first; a test fails when the result is stale.
 */
import { writeFileSync } from "node:fs";

const source = new URL("../dist/config/config-schema.js", import.meta.url);
const target = new URL("../schema/mcp-gateway.schema.json", import.meta.url);

const { configJsonSchema } = await import(source.href);
writeFileSync(target, `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
