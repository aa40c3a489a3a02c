/**
 * Puts a release into a server of the configuration: `${release.version}` in its command and
 * arguments becomes the version that is released, and what the program has to be is noted for the
 * gateway to check.
 */
import type { GatewayConfig, ServerConfig } from "../../config/config.ts";
import type { Release } from "./release-document.ts";
import { boundBundles, releaseVersion } from "./release-document.ts";

/** The only placeholder that a release fills. */
export const releasePlaceholder = "${release.version}";

/** True where the server's command line cannot be known without a release. */
export function usesRelease({ transport }: Pick<ServerConfig, "transport">): boolean {
  if (transport.kind !== "stdio") return false;
  return [transport.command, ...transport.args].some((part) => part.includes(releasePlaceholder));
}

/** The configuration with these releases in it. */
export function applyReleases(
  config: GatewayConfig,
  releases: ReadonlyMap<string, Release>,
): GatewayConfig {
  if (releases.size === 0) return config;
  const servers = [...config.servers].map(([id, server]) => {
    const release = releases.get(id);
    return [id, release === undefined ? server : applyRelease(server, release)] as const;
  });
  return { ...config, servers: new Map(servers) };
}

/** One server as its release has it. */
export function applyRelease(server: ServerConfig, release: Release): ServerConfig {
  const version = releaseVersion(release);
  const { transport } = server;
  const fill = (part: string): string => part.replaceAll(releasePlaceholder, () => version);
  return {
    ...server,
    transport:
      transport.kind === "stdio"
        ? { ...transport, command: fill(transport.command), args: transport.args.map(fill) }
        : transport,
    release: {
      version,
      serverInfo: release.server_info,
      pins: new Map(Object.entries(release.pins)),
      bundles: boundBundles(release),
      agents: release.agents && new Map(Object.entries(release.agents)),
    },
  };
}
