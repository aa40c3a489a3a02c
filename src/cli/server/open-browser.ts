/**
 * Opens a URL in the person's browser. The URL is text of an authorization server: it was checked to
 * be https (or http on this machine), goes to one program as one argument, and never to a shell.
 */
import { spawn } from "node:child_process";

/** The program and the arguments before the URL. */
export function browserCommand(platform: NodeJS.Platform): readonly [string, ...string[]] {
  if (platform === "darwin") return ["open"];
  if (platform === "win32") return ["rundll32", "url.dll,FileProtocolHandler"];
  return ["xdg-open"];
}

/** Starts the browser; where there is none, the printed URL is all there is. */
export function openBrowser(url: URL, platform: NodeJS.Platform = process.platform): void {
  if (url.protocol !== "https:" && url.protocol !== "http:") return;
  const [program, ...leading] = browserCommand(platform);
  const child = spawn(program, [...leading, url.href], {
    shell: false,
    stdio: "ignore",
    detached: true,
  });
  child.on("error", () => {});
  child.unref();
}
