/**
 * Reads a configuration file, says everything that is wrong with it at once, and hands out the
 * resolved configuration. Throws `ConfigError` and nothing else.
 */
import { dirname, resolve } from "node:path";
import type { GatewayConfig } from "./config.ts";
import { ConfigError, formatProblem } from "./config-error.ts";
import type { ConfigProblem } from "./config-error.ts";
import { offsetOf, parseConfigDocument, positionAt } from "./config-document.ts";
import type { ConfigDocument, ConfigPath, Finding } from "./config-document.ts";
import { checkRules } from "./config-rules.ts";
import { expandReferences } from "./expand-references.ts";
import type { Environment } from "./expand-references.ts";
import { readTrustedFile } from "./read-trusted-file.ts";
import { resolveConfig } from "./resolve-config.ts";
import { checkSchema } from "./schema-findings.ts";
import { createExcerpts } from "./source-excerpt.ts";
import { warningFindings } from "./unsupported-settings.ts";

export interface LoadConfigOptions {
  /** Made absolute against the current folder where it is not. */
  readonly path: string;
  /** Where `${env:NAME}` looks. */
  readonly env: Environment;
  /** Default: that of this process. Permissions are not checked on `win32`. */
  readonly platform?: NodeJS.Platform;
}

export interface LoadedConfig {
  readonly config: GatewayConfig;
  /** Things that are accepted and without effect, or that hardly anyone wants. */
  readonly warnings: readonly ConfigProblem[];
  /** A problem that was found later, with the place of what it is about. */
  readonly problemAt: (path: ConfigPath, message: string) => ConfigProblem;
}

const sizeLimit = 1_048_576;

/**
 * Loads one file.
 *
 * @throws ConfigError `config_not_found`, `config_unreadable`, `config_world_writable`, or
 * `config_invalid` with all problems.
 */
export function loadConfig(options: LoadConfigOptions): LoadedConfig {
  const path = resolve(options.path);
  const checkModes = (options.platform ?? process.platform) !== "win32";
  const { document, findings } = parseConfigDocument(path, readText(path, checkModes));
  if (document.broken) throw invalid(document, findings);
  const folder = dirname(path);
  const expansion = expandReferences(document.value, { env: options.env, folder, checkModes });
  const rules = notCovered(checkRules(expansion.value, folder), expansion.problems);
  const found = [...findings, ...expansion.problems, ...rules];
  const schema = checkSchema(expansion.value);
  if (!schema.ok) throw invalid(document, [...found, ...notCovered(schema.findings, found)]);
  if (found.length > 0) throw invalid(document, found);
  const warnings = [...expansion.warnings, ...warningFindings(document.value)];
  return {
    config: { ...resolveConfig(path, folder, schema.file), secrets: expansion.secrets },
    warnings: toProblems(document, warnings),
    problemAt: (place, message) => toProblem(document, { path: place, message }),
  };
}

function readText(path: string, checkModes: boolean): string {
  const read = readTrustedFile(path, { maxBytes: sizeLimit, checkModes });
  if (read.ok) return read.text;
  const { message, cause } = read;
  switch (read.reason) {
    case "missing":
      throw new ConfigError("config_not_found", `expected a configuration at ${path}`, { cause });
    case "unreadable":
      throw new ConfigError("config_unreadable", message, { cause });
    case "world_writable":
      throw new ConfigError(
        "config_world_writable",
        `every user of this machine can write ${path} and with it start programs as you; run chmod o-w ${path}`,
      );
  }
}

function notCovered(findings: readonly Finding[], by: readonly Finding[]): readonly Finding[] {
  const covers = by.flatMap((finding) => (finding.covers === undefined ? [] : [finding.covers]));
  return findings.filter(({ path }) => !covers.some((prefix) => startsWith(path, prefix)));
}

function startsWith(path: ConfigPath, prefix: ConfigPath): boolean {
  return prefix.every((segment, index) => path[index] === segment);
}

function invalid(document: ConfigDocument, findings: readonly Finding[]): ConfigError {
  const problems = toProblems(document, findings);
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  const lines = problems.map((problem) => formatProblem(document.path, problem));
  const message = `${count} in the configuration\n${lines.join("\n")}`;
  return new ConfigError("config_invalid", message, { path: document.path, problems });
}

function toProblems(
  document: ConfigDocument,
  findings: readonly Finding[],
): readonly ConfigProblem[] {
  if (findings.length === 0) return [];
  const excerptAt = createExcerpts(document);
  return findings
    .toSorted((left, right) => offsetOf(document, left) - offsetOf(document, right))
    .map((finding) => toProblem(document, finding, excerptAt));
}

function toProblem(
  document: ConfigDocument,
  finding: Finding,
  excerptAt = createExcerpts(document),
): ConfigProblem {
  const offset = offsetOf(document, finding);
  return {
    ...positionAt(document.text, offset),
    pointer: finding.path.map((segment) => `/${escapeSegment(String(segment))}`).join(""),
    message: finding.message,
    excerpt: excerptAt(offset),
  };
}

function escapeSegment(segment: string): string {
  return segment.replaceAll("~", "~0").replaceAll("/", "~1");
}
