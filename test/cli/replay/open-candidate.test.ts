/** What a replay says where its candidate cannot be found. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { runCli } from "../../support/cli-run.ts";
import { writeFixtureConfig } from "../../support/fixture-config.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

test("a candidate that is a path with nothing there is named as such, and not as a bad reference", async () => {
  const config = writeFixtureConfig({}, {});
  const missing = join(temporaryFolder(), "policies", "crm");
  const { exitCode, err } = await runCli(
    ["replay", missing, "--since", "1h", "--config", config],
    temporaryFolder(),
  );
  expect(exitCode).toBe(2);
  expect(err).toContain(`at ${missing}, found nothing`);
});

test("a reference that nobody knows is still a bad reference", async () => {
  const config = writeFixtureConfig({}, {});
  const { exitCode, err } = await runCli(
    ["replay", "ftp://h/crm", "--since", "1h", "--config", config],
    temporaryFolder(),
  );
  expect(exitCode).toBe(2);
  expect(err).toContain("expected it to begin with oci://");
});
