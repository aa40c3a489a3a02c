/**
 * Whether the process lives and whether it can decide, for whoever restarts it or sends it clients.
 * Nobody is asked for a token, so nothing else is said.
 */
import type { AdminRoute } from "../admin-route.ts";
import { replyWith } from "../admin-route.ts";

/** `GET /livez` and `GET /readyz`. */
export function healthRoutes(isReady: () => boolean): readonly AdminRoute[] {
  return [
    {
      method: "GET",
      path: "/livez",
      role: "anybody",
      answer: () => replyWith({ status: "live" }),
    },
    {
      method: "GET",
      path: "/readyz",
      role: "anybody",
      answer: () =>
        isReady() ? replyWith({ status: "ready" }) : replyWith({ status: "starting" }, 503),
    },
  ];
}
