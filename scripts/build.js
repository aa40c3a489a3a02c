/**
 * `npm run build`: compiles `src/` into `dist/` and the policies of `bundles/` and `examples/policy/`
 * into the OCI layout `bundles/dist`. Bundles are built again only when their sources or the toolchain changed;
 * `--clean` begins with an empty `dist/`.
 */
import { spawnSync } from "node:child_process";
import { hash } from "node:crypto";
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const layout = join(root, "bundles", "dist");
const stampFile = join(layout, "sources.sha256");
const policyFolders = ["bundles", join("examples", "policy")];

if (process.argv.includes("--clean")) rmSync(join(root, "dist"), { recursive: true, force: true });
const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
const compiled = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit",
});
if (compiled.status !== 0) process.exit(compiled.status ?? 1);
const { bundleBin } = await import("./bundle-bin.js");
await bundleBin(root);
chmodSync(join(root, "dist", "bin", "main.js"), 0o755);

const stamp = digestOfSources();
if (!existsSync(stampFile) || readFileSync(stampFile, "utf8") !== stamp) {
  rmSync(layout, { recursive: true, force: true });
  const { buildBundles } = await import("./build-bundles.js");
  for (const folder of policyFolders) await buildBundles(join(root, folder), layout);
  writeFileSync(stampFile, stamp);
}

/** One digest over every bundle source and over the toolchain that compiles them. */
function digestOfSources() {
  const files = policyFolders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((path) => !path.startsWith("dist") && /\.(?:rego|json|manifest)$/.test(path))
      .map((path) => join(folder, path)),
  );
  const inputs = [...files, "toolchain/dist/opa.json", "schema/input.schema.json"].toSorted();
  const lines = inputs.map(
    (path) => `${hash("sha256", readFileSync(join(root, path)))}  ${path}\n`,
  );
  return hash("sha256", lines.join(""));
}
