import { describe, expect, test } from "vitest";
import { connect, greetModern, startFake } from "./fake-upstream.ts";

describe("redirect-credentials", () => {
  test.each([301, 302, 303, 307, 308])(
    "a redirect with status %i is not followed, and says so",
    async (status) => {
      const other = await startFake(() => {});
      const fake = await startFake((request) => {
        if (greetModern(request)) return;
        request.response.writeHead(status, { location: other.url }).end();
      });
      const headers = { Authorization: "Bearer canary-7f3a" };
      const { call } = await connect({ url: fake.url, protocol: "modern", headers });
      expect(await call("x")).toMatchObject({
        kind: "failed",
        code: "upstream_garbage",
        message: expect.stringMatching(/a redirect, which is not followed/),
      });
      expect(other.received).toEqual([]);
      expect(other.sockets()).toBe(0);
    },
  );

  test("a redirect at the start is an error that says so", async () => {
    const other = await startFake(() => {});
    const fake = await startFake(
      ({ response }) => void response.writeHead(308, { location: other.url }).end(),
    );
    await expect(connect({ url: fake.url })).rejects.toThrow(/a redirect, which is not followed/);
    expect(other.sockets()).toBe(0);
  });
});
