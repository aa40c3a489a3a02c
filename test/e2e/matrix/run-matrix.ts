/**
 * Every client before one server, directly and through the gateway in the same run: each feature has
 * to come out alike. That is what "as if the gateway were not there" means here.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import type { ClientKind } from "./matrix-client.ts";
import { clientKinds, eraOf } from "./matrix-client.ts";
import { acrossEras, normalise } from "./normalise.ts";
import { allowEverything, openGateway } from "./open-gateway.ts";
import type { MatrixServer, OpenServer } from "./servers.ts";
import { siteFolder } from "./servers.ts";
import type { Feature } from "./site.ts";
import type { Visit } from "./visit.ts";
import { visit } from "./visit.ts";

export interface Matrix {
  readonly server: MatrixServer;
  readonly features: readonly Feature[];
}

const failed = z.object({ failed: z.string() });
const carriers = ["stdio", "http"] as const;
const patienceMs = 180_000;

/** Defines the tests of one server. */
export function describeMatrix({ server, features }: Matrix): void {
  const direct = new Map<ClientKind, Promise<Visit>>();
  const closing: (() => Promise<void>)[] = [];
  let layout = "";
  const openServer = async (folder: string): Promise<OpenServer> => {
    const opened = await server.open(folder);
    closing.push(opened.close);
    return opened;
  };
  const visitDirectly = async (kind: ClientKind): Promise<Visit> => {
    const folder = siteFolder();
    const { place } = await openServer(folder);
    return await visit(kind, { server, place, folder, prefix: "" }, features);
  };
  beforeAll(async () => {
    layout = await allowEverything(server.id);
  }, patienceMs);
  afterAll(async () => {
    for (const close of closing.toReversed()) await close();
  }, patienceMs);

  describe.each(carriers)(`${server.id} on ${server.carrier}, clients on %s`, (carrier) => {
    let opened: Promise<{ gateway: OpenServer; folder: string }> | undefined;
    const open = async (): Promise<{ gateway: OpenServer; folder: string }> => {
      const folder = siteFolder();
      const gateway = await openGateway(carrier, server, await openServer(folder), {
        folder,
        layout,
      });
      closing.push(gateway.close);
      return { gateway, folder };
    };

    describe.each(clientKinds)("%s", (kind) => {
      const seen = new Map<"direct" | "through", Visit>();
      beforeAll(async () => {
        const baseline = server.isDual ? kind : legacyOf(kind);
        direct.set(baseline, direct.get(baseline) ?? visitDirectly(baseline));
        opened ??= open();
        const [before, { gateway, folder }] = await Promise.all([direct.get(baseline), opened]);
        if (before === undefined) throw new Error("expected a direct visit");
        const site = { server, place: gateway.place, folder, prefix: `${server.id}__` };
        seen.set("direct", before);
        seen.set("through", await visit(kind, site, features));
      }, patienceMs);

      const visitOf = (way: "direct" | "through"): Visit => {
        const found = seen.get(way);
        if (found === undefined) throw new Error(`no visit ${way}`);
        return found;
      };

      test("has a row for everything that the server declares", () => {
        const covered = new Set(features.flatMap(({ covers }) => covers));
        expect(visitOf("direct").declared.filter((thing) => !covered.has(thing))).toEqual([]);
      });

      test("sees the server's instructions among the gateway's", () => {
        expect(visitOf("through").instructions).toContain(visitOf("direct").instructions.trim());
      });

      const outcomeOf = (way: "direct" | "through", { name }: Feature): unknown => {
        const { outcomes, view } = visitOf(way);
        const outcome = normalise(outcomes.get(name), view);
        const failure = failed.safeParse(outcome);
        if (failure.success) throw new Error(`${way}: ${failure.data.failed}`);
        return acrossEras(outcome, eraOf(kind), server.era);
      };
      const existing = features.filter(({ exists = () => true }) =>
        exists(eraOf(kind), server.era, kind),
      );

      test.each(existing.map((feature) => [feature.name, feature] as const))("%s", (_, feature) => {
        const expected = outcomeOf("direct", feature);
        expect(outcomeOf("through", feature)).toEqual(feature.instead ?? expected);
      });

      const own = existing.filter(({ instead }) => instead !== undefined);
      test.runIf(own.length > 0)("differs directly where the gateway speaks itself", () => {
        for (const feature of own) {
          expect(outcomeOf("direct", feature)).not.toEqual(feature.instead);
        }
      });
    });
  });
}

function legacyOf(kind: ClientKind): ClientKind {
  switch (kind) {
    case "SDK 2.x modern":
      return "SDK 2.x legacy";
    case "raw modern":
      return "raw legacy";
    case "SDK 1.x":
    case "SDK 2.x legacy":
    case "raw legacy":
      return kind;
  }
}
