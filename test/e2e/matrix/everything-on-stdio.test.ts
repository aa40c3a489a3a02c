/**
 * `@modelcontextprotocol/server-everything` on stdio through the gateway as directly.
 */
import { everythingFeatures } from "./everything-features.ts";
import { describeMatrix } from "./run-matrix.ts";
import { everythingOnStdio } from "./servers.ts";

describeMatrix({ server: everythingOnStdio, features: everythingFeatures });
