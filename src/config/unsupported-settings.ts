/**
 * Members that a reader of the documentation, or of another client's configuration, may expect and
 * that this version does not honour. Ignoring one would promise something that does not happen:
 * those are refused by name. Those that change nothing are accepted with a warning.
 */
import { isRecord } from "../contract/json.ts";
import { valueAt } from "./config-document.ts";
import type { ConfigPath, Finding } from "./config-document.ts";
import { inertServerKeys } from "./config-schema.ts";
import { otherTransportKey } from "./connection-rules.ts";

const notYet = "is not supported by this version; remove it";
const refusedServerKeys: Readonly<Record<string, string>> = {
  headersHelper:
    "headersHelper is not run; put the value into headers, as ${env:NAME} or ${file:PATH}",
  auth: "auth is not read; use oauth",
  envFile: "envFile is not read; put its variables into env, as ${env:NAME} or ${file:PATH}",
  disabledTools: "disabledTools would have no effect; say it in the server's policy",
  enabledTools: "enabledTools would have no effect; name the tools in ceiling",
  allowedTools: "allowedTools would have no effect; name the tools in ceiling",
  enabled: "enabled would have no effect; use disabled",
  mode: "mode would have no effect; only layers can be observed; try another policy of a server as its shadow",
};

/** Refusals of members that are known and not honoured. */
export function unsupportedFindings(value: unknown): readonly Finding[] {
  return [
    ...serverPaths(value).flatMap((path) => serverFindings(value, path)),
    ...refused(value, ["policy"], {
      isolation: `isolation ${notYet}: policies always run in worker threads`,
    }),
  ];
}

/** Warnings about members without effect and about servers without a policy. */
export function warningFindings(value: unknown): readonly Finding[] {
  return serverPaths(value).flatMap((path) => [
    ...inertFindings(value, path),
    ...dialectFindings(value, path),
    ...policyFindings(value, path),
  ]);
}

function serverPaths(value: unknown): readonly ConfigPath[] {
  const servers = valueAt(value, ["servers"]);
  return isRecord(servers) ? Object.keys(servers).map((id) => ["servers", id]) : [];
}

/** The HTTP+SSE transport of 2024-11-05 and web sockets are refused once, whatever else is there. */
function serverFindings(value: unknown, path: ConfigPath): readonly Finding[] {
  const key = otherTransportKey(valueAt(value, path));
  if (key === undefined) return refused(value, path, refusedServerKeys);
  const message = `${path.join(".")}: expected a server on stdio or Streamable HTTP ("http"); other transports are not supported`;
  return [{ path: [...path, key], atKey: true, message, covers: path }];
}

function refused(
  value: unknown,
  path: ConfigPath,
  messages: Readonly<Record<string, string>>,
): readonly Finding[] {
  const found = valueAt(value, path);
  if (!isRecord(found)) return [];
  return Object.keys(found).flatMap((key) => {
    const message = Object.hasOwn(messages, key) ? messages[key] : undefined;
    if (message === undefined) return [];
    const place = path.length === 0 ? "" : `${path.join(".")}: `;
    const at = [...path, key];
    return [{ path: at, atKey: true, message: `${place}${message}`, covers: at }];
  });
}

function inertFindings(value: unknown, path: ConfigPath): readonly Finding[] {
  return inertServerKeys.flatMap((key) => {
    const isStdio = key === "type" || key === "transport";
    if (isStdio || valueAt(value, [...path, key]) === undefined) return [];
    const instead = key === "timeout" ? "; use call_timeout_ms" : "";
    const message = `${[...path, key].join(".")} has no effect${instead}`;
    return [{ path: [...path, key], atKey: true, message }];
  });
}

/** `${workspaceFolder}` and the like: variables of some client that reach the server as they are. */
function dialectFindings(value: unknown, path: ConfigPath): readonly Finding[] {
  const args = valueAt(value, [...path, "args"]);
  const env = valueAt(value, [...path, "env"]);
  const places: ConfigPath[] = [
    [...path, "command"],
    ...(Array.isArray(args) ? args.map((_, index) => [...path, "args", index]) : []),
    ...(isRecord(env) ? Object.keys(env).map((name) => [...path, "env", name]) : []),
  ];
  return places.flatMap((place) => {
    const text = valueAt(value, place);
    if (
      typeof text !== "string" ||
      !/\$\{(?!env:|file:|release\.version\})[A-Za-z_][^}]*\}/.test(text)
    )
      return [];
    const message = `${place.join(".")}: only \${env:NAME} and \${file:PATH} are expanded; other variables reach the server as they are`;
    return [{ path: place, message }];
  });
}

function policyFindings(value: unknown, path: ConfigPath): readonly Finding[] {
  const server = valueAt(value, path);
  if (!isRecord(server) || server["policy"] !== undefined || server["disabled"] === true) return [];
  const message = `${path.join(".")} has no policy: every call to it is denied with no_policy`;
  return [{ path, atKey: true, message }];
}
