/**
 * A person who runs `server login --no-browser`: opens the URL that it prints, lets the
 * authorization server send them back, and waits until the command has its tokens.
 */
import { spawn } from "node:child_process";
import { bin, serverId } from "./children.js";

const longestMs = 30_000;

/**
 * Logs in to the scenario's server.
 *
 * @param {import("./children.js").Setting} setting
 * @returns {Promise<void>} rejects where the command fails
 */
export function logIn({ config, env }) {
  const args = [bin, "server", "login", serverId, "--no-browser", "--config", config];
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "ignore", "pipe"] });
  return new Promise((resolve, reject) => {
    let talk = "";
    let opened = false;
    const timer = setTimeout(() => child.kill("SIGKILL"), longestMs);
    child.stderr.setEncoding("utf8").on("data", (chunk) => {
      talk += chunk;
      const url = /open this URL to log in: (\S+)\r?\n/.exec(talk)?.[1];
      if (url === undefined || opened) return;
      opened = true;
      void visit(url).catch(reject);
    });
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(timer);
      if (code === 0) resolve();
      else reject(new Error(`expected server login to end with 0, found ${code}:\n${talk}`));
    });
  });
}

/**
 * As a browser: follows redirects to the loopback address that the command listens on.
 *
 * @param {string} url
 */
async function visit(url) {
  const sentBack = await fetch(url, { redirect: "manual" });
  const location = sentBack.headers.get("location");
  if (location === null) throw new Error(`expected a redirect, found status ${sentBack.status}`);
  await (await fetch(location)).text();
}
