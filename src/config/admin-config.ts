/**
 * The admin interface as the rest of the gateway sees its configuration.
 */

/** Each may read; an approver also decides on approvals, an operator changes what the gateway does. */
export const adminRoles = ["viewer", "approver", "operator"] as const;
export type AdminRole = (typeof adminRoles)[number];

/** What there is beside the socket in the state folder. */
export interface AdminConfig {
  /** Loopback only; `undefined`: the socket alone. */
  readonly http: AdminAddress | undefined;
  readonly tokens: readonly AdminToken[];
}

export interface AdminAddress {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

/** A bearer token of which only the digest is known. */
export interface AdminToken {
  /** Who it is, in records. */
  readonly name: string;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
  readonly roles: readonly AdminRole[];
}
