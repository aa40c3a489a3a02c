import { describe, expect, test } from "vitest";
import { paginate } from "../../../src/mcp/catalog/paginate.ts";

describe("pages", () => {
  const items = Array.from({ length: 600 }, (_, index) => index);

  test("together are the whole list in its order", () => {
    const seen: number[] = [];
    let cursor: string | undefined;
    do {
      const page = paginate(items, "v", cursor);
      seen.push(...(page?.items ?? []));
      cursor = page?.nextCursor;
    } while (cursor !== undefined);
    expect(seen).toEqual(items);
  });

  test("refuse a cursor of another version, a negative one and one past the end", () => {
    const cursor = (text: string) => Buffer.from(text).toString("base64url");
    for (const text of ["w:250", "v:-1", "v:600", "v:1e2", "v", ":250", ""]) {
      expect(paginate(items, "v", cursor(text)), text).toBeUndefined();
    }
  });
});
