/**
 * A server of 2026-07-28 on Streamable HTTP, the conformance fixture, through the gateway as
 * directly. It speaks both eras; the gateway finds the newer one.
 */
import { modernFeatures } from "./modern-features.ts";
import { describeMatrix } from "./run-matrix.ts";
import { modernOnHttp } from "./servers.ts";

describeMatrix({ server: modernOnHttp, features: modernFeatures });
