/**
 * Folders that go away with the test file that made them, wherever in it they were made: in a test,
 * in a hook, or while the file is loaded.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

const folders: string[] = [];

// Hooks of a file run in reverse: what was started in these folders has ended by then.
afterAll(() => {
  for (const folder of folders.splice(0)) {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});

/** A new, empty folder that only this user can read. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-test-"));
  folders.push(folder);
  return folder;
}
