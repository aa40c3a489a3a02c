import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Setting } from "./package-setting.ts";
import { audit, recordHistory, unpack } from "./package-setting.ts";

let setting: Setting;

beforeAll(async () => {
  setting = await recordHistory();
});

describe("a package that is there", () => {
  const words = ["--since", "1h", "-f", "kept.tar.gz", "-c", "config.json"];

  test("is not written over unless somebody says so", async () => {
    const path = join(setting.folder, "kept.tar.gz");
    writeFileSync(path, "what is left of an older record");
    const refused = await audit(setting.folder, "export", ...words);
    expect(refused).toMatchObject({ code: 2, out: "" });
    expect(refused.err).toContain("-f kept.tar.gz: expected no file there yet, found one");
    expect(refused.err).toContain("--force");
    expect(readFileSync(path, "utf8")).toBe("what is left of an older record");
    expect(await audit(setting.folder, "export", ...words, "--force")).toMatchObject({ code: 0 });
    expect([...unpack(path).keys()]).toContain("manifest.json");
    expect(readdirSync(setting.folder).filter((name) => name.includes(".parts-"))).toEqual([]);
  });

  test("is made once, where two are made at one place at once", async () => {
    const wish = ["--since", "1h", "-f", "raced.tar.gz", "-c", "config.json"];
    const both = await Promise.all([1, 2].map(() => audit(setting.folder, "export", ...wish)));
    expect(both.filter(({ code }) => code === 0)).toHaveLength(1);
    expect([...unpack(join(setting.folder, "raced.tar.gz")).keys()]).toContain("manifest.json");
  });

  test("leaves nothing in its place where it cannot be made", async () => {
    const spool = join(setting.stateDir, "spool", "embedded");
    const [writer = ""] = readdirSync(spool);
    const unreadable = join(spool, writer, "00000099.seg");
    mkdirSync(unreadable);
    const wish = ["--since", "1h", "-f", "none.tar.gz", "-c", "config.json"];
    const { code } = await audit(setting.folder, "export", ...wish);
    rmdirSync(unreadable);
    expect(code).not.toBe(0);
    expect(readdirSync(setting.folder).filter((name) => name.startsWith("none"))).toEqual([]);
  });

  test("stays where the new one cannot be made", async () => {
    const path = join(setting.folder, "kept.tar.gz");
    writeFileSync(path, "what is left of an older record");
    const badKey = { checkpoints: { key: "no key at all" } };
    const config = { agent: { id: "a" }, user: { id: "u" }, servers: {}, decisions: badKey };
    writeFileSync(join(setting.folder, "bad.json"), JSON.stringify(config), { mode: 0o600 });
    const wish = ["--since", "1h", "-f", "kept.tar.gz", "-c", "bad.json", "--force"];
    expect((await audit(setting.folder, "export", ...wish)).code).not.toBe(0);
    expect(readFileSync(path, "utf8")).toBe("what is left of an older record");
  });

  test("that is no file is refused with --force too", async () => {
    mkdirSync(join(setting.folder, "folder"));
    const wish = ["--since", "1h", "-f", "folder", "-c", "config.json", "--force"];
    const { code, err } = await audit(setting.folder, "export", ...wish);
    expect(code).toBe(2);
    expect(err).toContain("found something else than a file");
  });
});
