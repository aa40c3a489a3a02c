/**
 * Table cases of a whole stack as people write them: who calls what, in which circumstances, and what
 * has to come of it. Read strictly, because a member that is misspelt would be an expectation that
 * nobody checks.
 */
import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import * as z from "zod";
import { parseRfc3339Ms } from "../../../contract/rfc3339.ts";
import { messageOf } from "../../../errors.ts";
import { exitCodes } from "../../exit-code.ts";
import { CliError } from "../../io.ts";
import { printable } from "../../printable.ts";

const names = z.array(z.string());
const word = z.string().min(1);
const factOrNull = z.string().nullable().optional();
const amount = z.number().min(0);
const count = z.int().min(0);

const agent = z.strictObject({
  id: word,
  version: factOrNull,
  scope: factOrNull,
  owner_team: factOrNull,
  model: factOrNull,
  parent: factOrNull,
  authenticated: z.boolean().optional(),
});

const user = z.strictObject({
  id: word,
  groups: names.optional(),
  data_classifications_authorized: names.optional(),
});

/** Names, or names with the servers that they came from. */
const sightings = z.union([names, z.record(z.string(), names)]);

const conversation = z.strictObject({
  conversation_id: word.optional(),
  turn_count: count.optional(),
  cumulative_tokens: count.optional(),
  session_age_seconds: count.optional(),
  data_classes_seen: sightings.optional(),
  labels_seen: sightings.optional(),
  servers_called: names.optional(),
});

const circumstances = {
  agent: z.union([word, agent]).optional(),
  user: z.union([word, user]).optional(),
  environment: z
    .strictObject({ region: factOrNull, is_production: z.boolean().optional() })
    .optional(),
  time: z
    .string()
    .refine((text) => parseRfc3339Ms(text) !== undefined, "expected a moment of RFC 3339")
    .optional(),
  conversation: conversation.optional(),
  usage: z.record(z.string(), z.record(z.string(), amount)).optional(),
};

const call = z
  .strictObject({
    type: z.enum(["tool_call", "prompt_get", "resource_read"]).optional(),
    server: word,
    tool: word.optional(),
    prompt: word.optional(),
    uri: word.optional(),
    arguments: z.record(z.string(), z.json()).optional(),
    annotations: z.record(z.string(), z.json()).optional(),
    input_schema: z.record(z.string(), z.json()).optional(),
  })
  .refine(
    ({ tool, prompt, uri }) => [tool, prompt, uri].filter(isSaid).length === 1,
    "expected one of tool, prompt and uri",
  );

const expectation = z
  .strictObject({
    effect: z.enum(["allow", "deny", "hold", "hidden"]),
    enforced: z.boolean(),
    reasons: names,
    matched_rules: names,
    remediation: z.string().nullable(),
    obligations: names,
    holds: names,
    warnings: names,
    waived: names,
    data_classes: names,
    labels: names,
  })
  .partial()
  .required({ effect: true });

const stackCase = z.strictObject({
  name: word,
  ...circumstances,
  call,
  approval: z.strictObject({ approved_by: names.min(1), rules: names.optional() }).optional(),
  expect: expectation,
});

const stackFile = z.strictObject({
  defaults: z.strictObject(circumstances).optional(),
  cases: z.array(stackCase).min(1),
});

/** What has to come of a case; what it does not name is not looked at. */
export type Expectation = z.output<typeof expectation>;

/** Classes or labels of a conversation. */
export type Sightings = z.output<typeof sightings>;

/** One case, with the defaults of its file. */
export type StackCase = z.output<typeof stackCase>;

/** A file of cases. */
export interface StackFile {
  /** As it was named. */
  readonly file: string;
  readonly cases: readonly StackCase[];
}

/**
 * Reads a file of cases, YAML or JSON.
 *
 * @param path - absolute
 * @throws CliError exit code 3
 */
export async function readStackFile(file: string, path: string): Promise<StackFile> {
  const parsed = stackFile.safeParse(await readYaml(file, path));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const place = issue === undefined ? "" : issue.path.map(String).join(".");
    throw invalid(file, `${place === "" ? "the file" : place}: ${issue?.message ?? ""}`);
  }
  const { defaults = {}, cases } = parsed.data;
  return { file, cases: cases.map((one) => ({ ...defaults, ...one })) };
}

async function readYaml(file: string, path: string): Promise<unknown> {
  try {
    return parse(await readFile(path, "utf8"));
  } catch (thrown) {
    throw invalid(file, `expected YAML or JSON: ${messageOf(thrown)}`, thrown);
  }
}

function isSaid(value: string | undefined): boolean {
  return value !== undefined;
}

function invalid(file: string, message: string, cause?: unknown): CliError {
  return new CliError(exitCodes.invalid, printable(`${file}: ${message}`), { cause });
}
