/**
 * The bar of a replay: what it shows, when it draws, and that nobody counts for it where nobody looks.
 */
import { describe, expect, test } from "vitest";
import { barText, openProgressBar } from "../../../src/cli/replay/progress-bar.ts";

async function drawn(total: number, ...steps: readonly number[]): Promise<readonly string[]> {
  const texts: string[] = [];
  const draw = (text: string): void => void texts.push(text);
  const bar = await openProgressBar({ draw }, () => Promise.resolve(total));
  for (const done of steps) bar.show(done);
  bar.clear();
  return texts;
}

describe("a progress bar", () => {
  test.each([
    [0, 200, `${"░".repeat(30)} 0 % of 200`],
    [1, 200, `${"░".repeat(30)} 0 % of 200`],
    [100, 200, `${"█".repeat(15)}${"░".repeat(15)} 50 % of 200`],
    [199, 200, `${"█".repeat(30)} 99 % of 200`],
    [200, 200, `${"█".repeat(30)} 100 % of 200`],
    [207, 200, `${"█".repeat(30)} 100 % of 200`],
  ])("after %d of %d steps is %s", (done, total, text) => {
    expect(barText(done, total)).toBe(text);
  });

  test("draws over itself where something is new, and takes itself away", async () => {
    const [start, half] = [barText(0, 4), barText(2, 4)];
    const wiped = "\r\u001b[2K";
    expect(await drawn(4, 0, 0, 2, 2)).toEqual([`\r${start}`, `\r${half}`, wiped]);
  });

  test("draws nothing of nothing", async () => {
    expect(await drawn(0, 0)).toEqual([]);
  });

  test("is not there without a terminal, and nobody counts for it", async () => {
    const refuse = (): Promise<number> => Promise.reject(new Error("somebody counted"));
    const bar = await openProgressBar({ draw: undefined }, refuse);
    expect(bar.show(1)).toBeUndefined();
    bar.clear();
  });
});
