/**
 * A server of 2026-07-28 on stdio, the demo's CRM, through the gateway as directly. It speaks both
 * eras; the gateway finds the newer one.
 */
import { declares, pings, refusesArguments, refusesUnknown } from "./common-features.ts";
import { describeMatrix } from "./run-matrix.ts";
import { modernOnStdio } from "./servers.ts";
import { calls, lists } from "./site.ts";

describeMatrix({
  server: modernOnStdio,
  features: [
    // It declares that its list may change, and never changes it.
    declares("tools.listChanged"),
    pings,
    refusesUnknown,
    lists("tools", "tools"),
    // First, because clients that share the server see what it changed.
    calls("update_customer", { id: "C-17", notes: "ünï ✓" }, { id: "C-none", notes: "x" }),
    calls("search_customers", { query: "a" }, { query: "nobody at all" }),
    calls("get_customer", { id: "C-17" }, { id: "C-none" }),
    calls("export_customers", {}),
    calls("delete_customer", { id: "C-none" }),
    refusesArguments("get_customer", { id: 7 }),
  ],
});
