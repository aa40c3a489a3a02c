/**
 * How a gateway is doing, and how the sources of its policies are. Made by whoever put the gateway
 * together; shown as it is.
 */
import type { AdminRoute } from "../admin-route.ts";
import { replyWith } from "../admin-route.ts";

/** Makes the documents when somebody asks; JSON, snake_case. */
export interface StatusSource {
  readonly status: () => Promise<object>;
  /** One for each server and layer, in OPA's words for the status of a bundle. */
  readonly bundles: () => Promise<readonly object[]>;
}

/** `GET /v1/status` and `GET /v1/bundles`. */
export function statusRoutes({ status, bundles }: StatusSource): readonly AdminRoute[] {
  return [
    {
      method: "GET",
      path: "/v1/status",
      role: "viewer",
      answer: async () => replyWith({ ...(await status()), bundles: await bundles() }),
    },
    {
      method: "GET",
      path: "/v1/bundles",
      role: "viewer",
      answer: async () => replyWith({ items: await bundles() }),
    },
  ];
}
