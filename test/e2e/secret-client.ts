/**
 * A client that reads, completes and answers with secrets.
 */
import { eventually } from "../support/eventually.ts";
import type { RawClient } from "../support/raw-client.ts";
import { secret } from "./secret-world.ts";

/** Resources, prompts and completions. */
export async function readAndComplete(client: RawClient): Promise<void> {
  const note = `use ${secret("prompt_argument")}`;
  const value = secret("completion_argument");
  const ref = { type: "ref/prompt", name: "leaky__letter" };
  await client.request("resources/read", { uri: "leak://all" });
  await client.request("prompts/get", { name: "leaky__letter", arguments: { note } });
  await client.request("completion/complete", { ref, argument: { name: "note", value } });
}

/** Calls a tool whose server asks something, and answers that. */
export async function answerQuestion(
  client: RawClient,
  tool: string,
  method: string,
  result: object,
): Promise<void> {
  const asking = client.call(`leaky__${tool}`, {});
  const question = () => client.received.find((line) => JSON.stringify(line).includes(method));
  await eventually(() => question() !== undefined);
  client.send({ jsonrpc: "2.0", id: Object(question()).id, result });
  await asking;
}
