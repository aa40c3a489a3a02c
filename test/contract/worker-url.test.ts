import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { workerUrl } from "../../src/contract/worker-url.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "worker-url-"));
  await mkdir(join(root, "dist", "policy"), { recursive: true });
  await writeFile(join(root, "dist", "policy", "worker.js"), "");
});
afterAll(() => rm(root, { recursive: true }));

describe("the url of a worker", () => {
  it("is that of the compiled file, wherever the gateway itself runs from", () => {
    const url = workerUrl("policy/worker", root);
    expect(fileURLToPath(url)).toBe(join(root, "dist", "policy", "worker.js"));
    expect(fileURLToPath(workerUrl("policy/engine/worker"))).toMatch(
      /dist[/\\]policy[/\\]engine[/\\]worker\.js$/u,
    );
  });

  it("is refused with what to do where nothing was built", () => {
    expect(() => workerUrl("policy/other", root)).toThrow(
      'worker "policy/other" expected as compiled javascript, found no such file; run "npm run build" first',
    );
  });
});
