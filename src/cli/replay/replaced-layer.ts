/**
 * In whose place a candidate is tried: the one that is named, else the one that its bundle is named
 * after, else the only one of its kind.
 */
import type { GatewayConfig } from "../../config/config.ts";
import type { PolicyPlace } from "../../config/policy-places.ts";
import { basePlaces } from "../../config/policy-places.ts";
import type { Bundle } from "../../contract/bundle.ts";
import { exitCodes } from "../exit-code.ts";
import { CliError } from "../io.ts";

export interface NamedLayer {
  readonly layer: string | undefined;
  /** Server whose decisions are replayed; for the bundle of a server it is its layer too. */
  readonly server: string | undefined;
}

/**
 * The server or layer whose policy is replaced.
 *
 * @throws CliError usage, where that cannot be said
 */
export function replacedLayer(
  config: Pick<GatewayConfig, "servers" | "layers">,
  bundle: Bundle,
  { layer, server }: NamedLayer,
): PolicyPlace {
  const places = basePlaces(config);
  const named = layer ?? (bundle.kind === "server" ? server : undefined);
  if (named !== undefined) return namedPlace(places, bundle, named);
  const fitting = places.filter(({ kind }) => kind === bundle.kind);
  const ownName = bundle.metadata["name"];
  const own = fitting.find(({ name }) => name === ownName);
  if (own !== undefined) return own;
  const [only, ...others] = fitting;
  if (only !== undefined && others.length === 0) return only;
  const known = fitting.map(({ name }) => name).join(", ");
  throw new CliError(
    exitCodes.usage,
    `expected one ${bundle.kind} in whose place the candidate is tried, found ${known === "" ? "none" : known}; say which with --layer`,
  );
}

function namedPlace(places: readonly PolicyPlace[], bundle: Bundle, name: string): PolicyPlace {
  const place = places.find((one) => one.name === name);
  if (place === undefined) {
    const known = places.map((one) => one.name).join(", ");
    throw new CliError(
      exitCodes.usage,
      `expected a server or layer of the configuration, found "${name}"; it has ${known}`,
    );
  }
  if (place.kind === bundle.kind) return place;
  throw new CliError(
    exitCodes.usage,
    `expected a candidate of kind "${place.kind}" for "${name}", found "${bundle.kind}" in its manifest`,
  );
}
