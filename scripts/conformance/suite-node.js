/**
 * The suite needs Node 22, the gateway runs on Node 20: finds a Node for the suite. The running one
 * where it is new enough, else the `node` package, installed once into a cache folder of its own, so
 * that this project's `node_modules/.bin` never gets a `node`.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const leastMajor = 22;
const version = "22.23.3";

/**
 * Path of an executable that can run the suite.
 *
 * @returns {string}
 */
export function suiteNode() {
  if (Number(process.versions.node.split(".")[0]) >= leastMajor) return process.execPath;
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const folder = join(cache, "mcp-gateway-conformance", `node-${version}`);
  const executable = join(folder, "node_modules", "node", "bin", "node");
  if (!existsSync(executable)) {
    mkdirSync(folder, { recursive: true });
    const options = [
      "--no-save",
      "--no-audit",
      "--no-fund",
      "--prefer-offline",
      "--loglevel=error",
    ];
    const args = ["install", "--prefix", folder, ...options, `node@${version}`];
    execFileSync("npm", args, { stdio: ["ignore", "ignore", "inherit"] });
  }
  const found = execFileSync(executable, ["--version"], { encoding: "utf8" }).trim();
  if (found !== `v${version}`) throw new Error(`expected node v${version}, found ${found}`);
  return executable;
}
