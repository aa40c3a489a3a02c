import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { workerUrl } from "../../src/contract/worker-url.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

let root: string;
beforeAll(async () => {
  root = temporaryFolder();
  await mkdir(join(root, "dist", "bin"), { recursive: true });
  await writeFile(join(root, "dist", "bin", "some-worker.js"), "");
});

describe("the url of a worker", () => {
  it("is that of the bundled file, wherever the gateway itself runs from", () => {
    const url = workerUrl("some-worker", root);
    expect(fileURLToPath(url)).toBe(join(root, "dist", "bin", "some-worker.js"));
    expect(fileURLToPath(workerUrl("policy-worker"))).toMatch(
      /dist[/\\]bin[/\\]policy-worker\.js$/u,
    );
  });

  it("is refused with what to do where nothing was built", () => {
    expect(() => workerUrl("other", root)).toThrow(
      'worker "other" expected as bundled javascript, found no such file; run "npm run build" first',
    );
  });
});
