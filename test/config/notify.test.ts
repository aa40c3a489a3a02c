import { expect, test } from "vitest";
import { load, minimal, problemsOf } from "./support.ts";

const secret = `whsec_${Buffer.alloc(32).toString("base64")}`;
const pager = { name: "pager", url: "https://desk.example/hook", secret };
const withChannels = (...channels: readonly object[]) => ({ ...minimal, notify: { channels } });

test("there are no channels by default", () => {
  expect(load(minimal).config.notify).toEqual([]);
});

test("a channel takes its secrets from the environment", () => {
  const hidden = { ...pager, url: "${env:URL}", secret: "${env:SECRET}" };
  const { config } = load(withChannels(hidden), { URL: pager.url, SECRET: secret });
  expect(config.notify).toEqual([pager]);
});

test("a channel has a protected URL and a name of its own", () => {
  expect(problemsOf(withChannels({ ...pager, url: "http://desk.example/hook" }))).toEqual([
    expect.stringContaining("notify.channels.0.url: expected https"),
  ]);
  expect(problemsOf(withChannels(pager, pager))).toEqual([
    "notify.channels.1.name is already that of notify.channels.0",
  ]);
  expect(problemsOf(withChannels({ ...pager, secret: "short" }))[0]).toContain("whsec_");
});
