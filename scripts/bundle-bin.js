/**
 * Bundles the bin and its workers into `dist/bin`: one file for what every start needs, one more for
 * each command that is loaded lazily. A start reads a handful of files instead of hundreds. Packages that bring
 * files of their own (databases) stay outside; the licences of the others come along.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const external = ["@electric-sql/pglite", "@redis/client", "pg", "undici"];

/** @param {string} root folder of the package */
export async function bundleBin(root) {
  // Chunks are named by their content; those of the last build would stay behind.
  rmSync(join(root, "dist", "bin"), { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: {
      main: "src/cli/main.ts",
      "policy-worker": "src/policy/engine/worker.ts",
      "unpack-worker": "src/bundle/unpack/unpack-worker.ts",
      "replay-worker": "src/replay/replay-worker.ts",
    },
    outdir: "dist/bin",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    mainFields: ["module", "main"],
    external,
    metafile: true,
    logLevel: "warning",
    // A start parses less; names stay, so that stacks can be read.
    minifyWhitespace: true,
    minifySyntax: true,
    // Packages in CommonJS ask for Node's own modules with require.
    banner: {
      js: 'import { createRequire as $createRequire } from "node:module";const require = $createRequire(import.meta.url);',
    },
  });
  const packages = new Set(Object.keys(metafile.inputs).flatMap((path) => packageOf(path) ?? []));
  const notices = [...packages].toSorted().map((name) => notice(root, name));
  writeFileSync(join(root, "dist", "bin", "LICENSES.txt"), notices.join("\n"));
}

/** @param {string} path */
function packageOf(path) {
  return /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1];
}

/** Packages that leave out the licence of their repository, and one of the same that has it. */
const licensedWith = new Map([["@sigstore/verify", "@sigstore/bundle"]]);

/**
 * @param {string} root
 * @param {string} name
 */
function notice(root, name) {
  const folder = join(root, "node_modules", licensedWith.get(name) ?? name);
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined || !existsSync(join(folder, file))) {
    throw new Error(`expected a licence file in the package ${name}, found none`);
  }
  return `${name}\n\n${readFileSync(join(folder, file), "utf8")}`;
}
