/**
 * `@modelcontextprotocol/server-everything` on Streamable HTTP through the gateway as directly.
 */
import { everythingFeatures } from "./everything-features.ts";
import { describeMatrix } from "./run-matrix.ts";
import { everythingOnHttp } from "./servers.ts";

describeMatrix({ server: everythingOnHttp, features: everythingFeatures });
