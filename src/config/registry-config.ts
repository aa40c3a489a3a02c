/**
 * What the operator says about the places that bundles come from.
 */

/** What the operator says about one registry, bundle server or Git host. */
export interface RegistryConfig {
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Bearer token that is sent as it is. */
  readonly token: string | undefined;
  /** Name of a program `docker-credential-NAME`. */
  readonly credentialHelper: string | undefined;
  /** `undefined`: on this machine alone. */
  readonly plainHttp: boolean | undefined;
  /** Absolute paths of PEM files. */
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  /** Other hosts that it may send to for tokens. */
  readonly trustedRealms: readonly string[];
  /** The only other hosts that it may redirect to; any public one where there are none. */
  readonly redirectHosts: readonly string[];
  /** Asked before the registry itself, in order. */
  readonly mirrors: readonly RegistryMirror[];
}

/** A registry that has the content of another one. */
export interface RegistryMirror {
  readonly host: string;
  /** Put before the repository. */
  readonly prefix: string | undefined;
  /** Whether it is believed what a tag stands for. */
  readonly resolveTags: boolean;
  /** Credentials of `registries.MIRROR`, or none; never those of the registry itself. */
  readonly credentials: "none" | "own";
}
