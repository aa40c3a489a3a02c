import * as core from "@modelcontextprotocol/core";
import * as sdk from "@modelcontextprotocol/sdk/types.js";
import { describe, expect, test } from "vitest";
import {
  actionTypeOf,
  dispositionOf,
  eraOf,
  legacyVersions,
  modernVersions,
} from "../../../src/mcp/wire/method-table.ts";
import type { Direction } from "../../../src/mcp/wire/method-table.ts";
import { protocolSchemas } from "../../../src/mcp/wire/protocol-methods.ts";

const directions = [
  "clientRequests",
  "clientNotifications",
  "serverRequests",
  "serverNotifications",
  "inputRequests",
] as const;
const versions = [...legacyVersions, ...modernVersions];
const tasksExtension = "io.modelcontextprotocol/tasks";

/** What the schemas say that a revision has, extensions included. */
function methodsOf(version: string, direction: Direction): readonly string[] {
  return protocolSchemas
    .filter(({ revision }) => revision === version)
    .flatMap((schema) => [...schema[direction]]);
}

const everyMethod = [
  ...new Set(versions.flatMap((version) => directions.flatMap((d) => methodsOf(version, d)))),
];

const places = versions.flatMap((version) =>
  directions.map((direction) => ({ version, direction })),
);

/** In the schemas, and refused all the same: tasks that a client would run for a server. */
const refusedOnPurpose = [
  "clientNotifications notifications/tasks/status",
  "serverRequests tasks/cancel",
  "serverRequests tasks/get",
  "serverRequests tasks/list",
  "serverRequests tasks/result",
];

describe("the method table", () => {
  test("knows the revisions whose schemas it was made from, and one extension", () => {
    const core = protocolSchemas.filter((schema) => !("extension" in schema));
    expect(core.map(({ revision }) => revision).toSorted()).toEqual([...versions].toSorted());
    const extensions = protocolSchemas.filter((schema) => "extension" in schema);
    expect(extensions.map(({ revision, extension }) => [revision, extension])).toEqual([
      ["2026-07-28", tasksExtension],
    ]);
    for (const { sha256 } of protocolSchemas) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  test.each(places)(
    "in $version has a row for each of the schema's $direction and refuses all others",
    ({ version, direction }) => {
      const published = methodsOf(version, direction);
      for (const method of everyMethod) {
        const disposition = dispositionOf(direction, method, version);
        const isRefused =
          !published.includes(method) || refusedOnPurpose.includes(`${direction} ${method}`);
        expect(disposition === "refuse", `${method}: ${disposition}`).toBe(isRefused);
      }
    },
  );

  test("agrees with the methods that SDK 1.x has for 2025-11-25", () => {
    const schema = protocolSchemas.find(({ revision }) => revision === "2025-11-25");
    expect(schema?.clientRequests).toEqual(methodsIn(sdk.ClientRequestSchema));
    expect(schema?.clientNotifications).toEqual(methodsIn(sdk.ClientNotificationSchema));
    expect(schema?.serverRequests).toEqual(methodsIn(sdk.ServerRequestSchema));
    expect(schema?.serverNotifications).toEqual(methodsIn(sdk.ServerNotificationSchema));
  });

  test("agrees with the methods that SDK 2.x has for all revisions together, but for tasks", () => {
    const all = (direction: Direction): readonly string[] =>
      [...new Set(versions.flatMap((version) => methodsOf(version, direction)))]
        .filter((method) => !/\btasks\b/.test(method))
        .toSorted();
    expect(all("clientRequests")).toEqual(methodsIn(core.ClientRequestSchema));
    expect(all("clientNotifications")).toEqual(methodsIn(core.ClientNotificationSchema));
    expect(all("serverRequests")).toEqual(methodsIn(core.ServerRequestSchema));
    expect(all("serverNotifications")).toEqual(methodsIn(core.ServerNotificationSchema));
  });

  test("puts everything that reads or changes something before policy, with its own action type", () => {
    const decided = places.flatMap(({ version, direction }) =>
      methodsOf(version, direction).filter(
        (method) => dispositionOf(direction, method, version) === "decide",
      ),
    );
    expect(Object.fromEntries(decided.map((method) => [method, actionTypeOf(method)]))).toEqual({
      "tools/call": "tool_call",
      "prompts/get": "prompt_get",
      "resources/read": "resource_read",
      "resources/subscribe": "resource_subscribe",
      "completion/complete": "completion",
      "tasks/get": "task_get",
      "tasks/result": "task_result",
      "tasks/cancel": "task_cancel",
      "tasks/update": "task_update",
      "sampling/createMessage": "sampling",
      "elicitation/create": "elicitation",
      "roots/list": "roots_list",
    });
    const others = everyMethod.filter((method) => !decided.includes(method));
    for (const method of others) expect(actionTypeOf(method), method).toBeUndefined();
  });

  test("relays no request of a client but the end of a subscription", () => {
    const relayed = versions.flatMap((version) =>
      methodsOf(version, "clientRequests").filter(
        (method) => dispositionOf("clientRequests", method, version) === "relay",
      ),
    );
    expect([...new Set(relayed)]).toEqual(["resources/unsubscribe"]);
  });

  test.each([
    ["tasks/list", "2026-07-28"],
    ["tasks/result", "2026-07-28"],
    ["tasks/update", "2025-11-25"],
    ["tasks/get", "2025-06-18"],
    ["initialize", "2026-07-28"],
    ["ping", "2026-07-28"],
    ["resources/subscribe", "2026-07-28"],
    ["logging/setLevel", "2026-07-28"],
    ["server/discover", "2025-11-25"],
    ["subscriptions/listen", "2025-11-25"],
  ])("refuses %s in %s, which only other revisions have", (method, version) => {
    expect(dispositionOf("clientRequests", method, version)).toBe("refuse");
  });

  test.each([
    "tools/Call",
    "TOOLS/CALL",
    "tools/call ",
    " tools/call",
    "tools/call\u0000",
    String.raw`tools\/call`,
    "tools\u2215call",
    "tools\u2044call",
    "too\u017Fs/call",
    "tas\u212As/get",
    "tools//call",
    "tools/call/",
    "",
    "__proto__",
    "constructor",
    "toString",
    "clientRequests",
    "clientRequests tools/call",
    "rpc.discover",
    "sampling/createMessage",
    "tools/call\ntools/list",
  ])("B7, B8: refuses the method %j of a client in every revision", (method) => {
    for (const version of versions) {
      expect(dispositionOf("clientRequests", method, version)).toBe("refuse");
      expect(dispositionOf("clientNotifications", method, version)).toBe("refuse");
    }
  });

  test("B5: refuses a request's method as a notification", () => {
    for (const { version, direction } of places) {
      if (!direction.endsWith("Requests")) continue;
      for (const method of methodsOf(version, direction)) {
        expect(dispositionOf("clientNotifications", method, version)).toBe("refuse");
        expect(dispositionOf("serverNotifications", method, version)).toBe("refuse");
      }
    }
  });

  test.each(["", "2023-01-01", "2024-10-07", "2099-01-01", "2025-11-25 ", "__proto__"])(
    "has initialize and ping, and nothing else, for the version %j that nobody knows",
    (version) => {
      expect(eraOf(version)).toBeUndefined();
      const open = directions.flatMap((direction) =>
        everyMethod
          .filter((method) => dispositionOf(direction, method, version) !== "refuse")
          .map((method) => `${direction} ${method}`),
      );
      expect(open.toSorted()).toEqual([
        "clientRequests initialize",
        "clientRequests ping",
        "serverRequests ping",
      ]);
    },
  );

  test("says of each revision whether it greets with initialize", () => {
    expect(legacyVersions.map(eraOf)).toEqual(legacyVersions.map(() => "legacy"));
    expect(modernVersions.map(eraOf)).toEqual(modernVersions.map(() => "modern"));
    for (const version of versions) {
      const greets = dispositionOf("clientRequests", "initialize", version) === "local";
      expect(greets).toBe(eraOf(version) === "legacy");
    }
  });
});

interface MessageUnion {
  readonly options: readonly {
    readonly shape: { readonly method: { readonly def: { readonly values: readonly unknown[] } } };
  }[];
}

function methodsIn({ options }: MessageUnion): readonly string[] {
  return options.flatMap(({ shape }) => shape.method.def.values.map(String)).toSorted();
}
