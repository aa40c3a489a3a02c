/**
 * What policy lets this agent see: one verdict per tool, asked on the list-phase input alone and
 * kept as long as the tool's definition stays the same. List and call use the same verdicts, so that
 * neither arguments nor conversation decide whether a tool exists.
 */
import type { GatewayConfig } from "../config/config.ts";
import type { Clock } from "../contract/ambient.ts";
import type { LayerVerdict } from "../contract/layer.ts";
import type { CatalogTool } from "../mcp/catalog/catalog.ts";
import { isHidden } from "../policy/combine/is-hidden.ts";
import type { PolicyEngine } from "../policy/engine/policy-engine.ts";
import { buildListInput } from "../policy/input/build-input.ts";
import { classify } from "../policy/input/classify.ts";

export interface VisibilityOptions {
  readonly config: GatewayConfig;
  readonly engine: PolicyEngine;
  readonly clock: Clock;
}

/** What the layers with a say about visibility said of one tool. */
export interface Sight {
  readonly verdicts: readonly LayerVerdict[];
  /** The document that was judged; for the record. */
  readonly inputJson: string;
  /** False where a rule hides the tool, where it is outside the capabilities, and where asking failed. */
  readonly isVisible: boolean;
}

/** Tools asked about at once share one deadline. */
const chunkSize = 50;

/** Remembers what is visible for as long as the active bundles stay. */
export class Visibility {
  readonly #options: VisibilityOptions;
  readonly #known = new Map<string, Sight>();

  constructor(options: VisibilityOptions) {
    this.#options = options;
  }

  /** The verdict on one tool. */
  async of(tool: CatalogTool): Promise<Sight> {
    const [sight] = await this.ofAll([tool]);
    if (sight === undefined) throw new Error("expected one verdict for one tool");
    return sight;
  }

  /** One verdict for each tool of one server, in their order. */
  async ofAll(tools: readonly CatalogTool[]): Promise<readonly Sight[]> {
    const unknown = tools.filter((tool) => !this.#known.has(keyOf(tool)));
    const asked = new Map<string, Sight>();
    for (let at = 0; at < unknown.length; at += chunkSize) {
      await this.#ask(unknown.slice(at, at + chunkSize), asked);
    }
    return tools.flatMap((tool) => this.#known.get(keyOf(tool)) ?? asked.get(keyOf(tool)) ?? []);
  }

  async #ask(tools: readonly CatalogTool[], asked: Map<string, Sight>): Promise<void> {
    const { engine, clock } = this.#options;
    const inputs = tools.map((tool) => this.#inputOf(tool));
    const server = tools[0]?.server ?? "";
    const answers = await engine.visibility({ server, inputs, timeMs: clock.nowMs() });
    for (const [index, tool] of tools.entries()) {
      const verdicts = answers[index]?.verdicts ?? [];
      const sight = this.#see(tool, verdicts, inputs[index] ?? "{}");
      asked.set(keyOf(tool), sight);
      // A failure may pass, so it is asked again.
      if (verdicts.every((verdict) => verdict.ok)) this.#known.set(keyOf(tool), sight);
    }
  }

  #see(tool: CatalogTool, verdicts: readonly LayerVerdict[], inputJson: string): Sight {
    const action = { server: tool.server, tool: tool.name };
    const { scope } = this.#options.config.agent;
    // A bundle that is not there hides nothing: its calls are denied with the reason. One that is
    // there and cannot answer may have wanted to hide the tool.
    const isAnswered = verdicts.every((verdict) => verdict.ok || verdict.code === "no_policy");
    return { verdicts, inputJson, isVisible: isAnswered && !isHidden(verdicts, { action, scope }) };
  }

  #inputOf(tool: CatalogTool): string {
    const server = this.#options.config.servers.get(tool.server);
    const action = {
      server: tool.server,
      tool: tool.name,
      annotations: tool.annotations,
      definition_digest: tool.digest,
      destination: { region: server?.region ?? null, external: server?.external ?? false },
    };
    return buildListInput(this.#options.config, action, classify(server?.tools.get(tool.name)));
  }
}

function keyOf(tool: CatalogTool): string {
  return JSON.stringify([tool.server, tool.name, tool.digest]);
}
