import { basename } from "node:path";
import { expect, test } from "vitest";
import { comparePositions } from "../../../src/decision/spool/committed-mark.ts";
import { nodeFileSystem } from "../../../src/decision/spool/file-system.ts";
import type { SpoolFileSystem } from "../../../src/decision/spool/file-system.ts";
import { encodeFrames } from "../../../src/decision/spool/frame.ts";
import { SegmentChain } from "../../../src/decision/spool/segment-chain.ts";
import { createTestLog } from "../../support/log.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const frames = encodeFrames(["a record"]);

/** Tells of each file before it is made, cut or removed. */
function watched(told: (name: string) => void): SpoolFileSystem {
  return {
    ...nodeFileSystem,
    createFile: (path) => {
      told(`make ${basename(path)}`);
      return nodeFileSystem.createFile(path);
    },
    truncateFile: (path, bytes) => {
      told(`cut ${basename(path)}`);
      return nodeFileSystem.truncateFile(path, bytes);
    },
  };
}

test("what is committed never lies beyond what comes next, while segments are cut and made", async () => {
  const seen: string[] = [];
  const chain = new SegmentChain({
    files: watched((name) => seen.push(`${name} at ${JSON.stringify(chain.committed)}`)),
    folder: temporaryFolder(),
    segmentMaxBytes: 16,
    log: createTestLog(),
  });
  const places = [chain.committed];
  for (let count = 0; count < 3; count += 1) {
    await chain.commit(frames);
    places.push(chain.committed);
  }
  const end = 16 + frames.length;
  expect(places).toEqual([
    { segment: 0, offset: 0 },
    { segment: 1, offset: end },
    { segment: 2, offset: end },
    { segment: 3, offset: end },
  ]);
  expect(seen.filter((line) => line.includes(".seg"))).toEqual([
    'make 00000001.seg at {"segment":0,"offset":0}',
    `cut 00000001.seg at {"segment":1,"offset":${end}}`,
    'make 00000002.seg at {"segment":2,"offset":0}',
    `cut 00000002.seg at {"segment":2,"offset":${end}}`,
    'make 00000003.seg at {"segment":3,"offset":0}',
  ]);
  await chain.close();
  expect(chain.committed).toEqual({ segment: 4, offset: 0 });
});

test("a segment that cannot be made moves nothing", async () => {
  let isFull = true;
  const files: SpoolFileSystem = {
    ...nodeFileSystem,
    createFile: async (path) => {
      if (isFull) throw new Error("no space");
      return await nodeFileSystem.createFile(path);
    },
  };
  const folder = temporaryFolder();
  const chain = new SegmentChain({ files, folder, segmentMaxBytes: 1024, log: createTestLog() });
  await expect(chain.commit(frames)).rejects.toThrow("no space");
  const before = chain.committed;
  isFull = false;
  await chain.commit(frames);
  expect(comparePositions(before, chain.committed)).toBeLessThan(0);
  expect(before).toEqual({ segment: 0, offset: 0 });
  await chain.close();
});
