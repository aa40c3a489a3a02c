/**
 * One client's way through all features of one server, and what came of each.
 */
import { z } from "zod";
import type { Place } from "./endpoint.ts";
import type { ClientKind, Json } from "./matrix-client.ts";
import { connectClient, eraOf } from "./matrix-client.ts";
import type { View } from "./normalise.ts";
import type { MatrixServer } from "./servers.ts";
import type { Feature, Site } from "./site.ts";
import { listAll } from "./site.ts";

export interface VisitedServer {
  readonly server: MatrixServer;
  readonly place: Place;
  readonly folder: string;
  /** Of names, through the gateway. */
  readonly prefix: string;
}

export interface Visit {
  /** By feature; `{failed}` where it could not be done at all. */
  readonly outcomes: ReadonlyMap<string, unknown>;
  readonly instructions: string;
  /** What the server declares, seen directly: capabilities by path, everything in its lists. */
  readonly declared: readonly string[];
  readonly view: View;
}

/** Connects, runs each feature that this pair has, and closes. */
export async function visit(
  kind: ClientKind,
  { server, place, folder, prefix }: VisitedServer,
  features: readonly Feature[],
): Promise<Visit> {
  const client = await connectClient(kind, { ...place, roots: server.rootsIn(folder) });
  const site = {
    client,
    server: server.era,
    folder,
    nameOf: (name: string) => prefix + name,
    isRepetitive: prefix === "" && server.repeatsTo === kind,
  };
  try {
    const declared = prefix === "" ? await declaredTo(site) : [];
    const wanted = features.filter(({ exists = () => true }) =>
      exists(eraOf(kind), server.era, kind),
    );
    const outcomes = new Map<string, unknown>();
    const run = async ({ name, run: runFeature }: Feature): Promise<void> => {
      const outcome = await runFeature(site).catch((thrown: unknown) => ({
        failed: thrown instanceof Error ? thrown.message : String(thrown),
      }));
      outcomes.set(name, outcome);
    };
    const aside = wanted.filter((feature) => feature.aside === true).map(run);
    for (const feature of wanted) if (feature.aside !== true) await run(feature);
    await Promise.all(aside);
    const { instructions } = client.greeting;
    return { outcomes, instructions, declared, view: { id: server.id, folder } };
  } finally {
    await client.close();
  }
}

async function declaredTo(site: Site): Promise<readonly string[]> {
  const { capabilities } = site.client.greeting;
  const named = (kind: string, items: readonly Json[]): readonly string[] =>
    items.map(({ name }) => `${kind} ${String(name)}`);
  return [
    ...paths(capabilities).map((path) => `capability ${path}`),
    ...(capabilities["tools"] === undefined ? [] : named("tool", await listAll(site, "tools"))),
    ...(capabilities["prompts"] === undefined
      ? []
      : named("prompt", await listAll(site, "prompts"))),
    ...(capabilities["resources"] === undefined
      ? []
      : [
          ...named("resource", await listAll(site, "resources")),
          ...named("template", await listAll(site, "resourceTemplates")),
        ]),
  ];
}

const record = z.record(z.string(), z.unknown());

/** `tools`, `tools.listChanged`, … of what is not switched off. */
function paths(capabilities: Json, above = ""): readonly string[] {
  return Object.entries(capabilities).flatMap(([name, value]) => {
    if (value === false) return [];
    const path = `${above}${name}`;
    const below = record.safeParse(value);
    return below.success ? [path, ...paths(below.data, `${path}.`)] : [path];
  });
}
