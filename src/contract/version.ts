/** The version of this package, as it names itself to clients, servers and in records. */
export const gatewayVersion = "0.1.0";
export const gatewayName = "mcp-gateway";
