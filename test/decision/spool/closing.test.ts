import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { bundleProgram, startProgram } from "../child-program.ts";
import { readSpool } from "../support.ts";

const source = fileURLToPath(new URL("closing-program.ts", import.meta.url));

test("an outcome that is settled as the process ends is in the record", async () => {
  const stateDir = temporaryFolder();
  const child = startProgram(await bundleProgram(source), stateDir);
  const [code] = await once(child, "close");
  expect(code).toBe(0);
  expect(await readSpool(stateDir)).toEqual([expect.stringContaining('"outcome":"completed"')]);
});
