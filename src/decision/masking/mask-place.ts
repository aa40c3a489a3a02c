/**
 * A place in a record while it is masked: its pointer, who wrote what is there, and the rules and
 * schemas that speak of it.
 */
import type { MaskRule, RuleAt } from "./mask-rules.ts";
import { ruleFor, rulesBelow } from "./mask-rules.ts";
import { recordZones, zoneOf } from "./record-zones.ts";
import type { Zone, ZoneTree } from "./record-zones.ts";
import { isSecretAt, SecretSchema } from "./secret-schema.ts";
import type { SchemasAt } from "./secret-schema.ts";

export interface MaskPlace {
  /** JSON pointer into the record as it is kept. */
  readonly pointer: string;
  /** Of the member that it is, or is in. */
  readonly name: string | undefined;
  readonly tree: ZoneTree;
  readonly isItem: boolean;
  readonly rules: readonly RuleAt[];
  readonly schemas: SchemasAt;
}

const argumentsPointer = "/input/action/args";
const action = "/input/action";

/** The record itself. */
export function rootPlace(rules: readonly RuleAt[]): MaskPlace {
  const [pointer, name] = ["", undefined];
  return { pointer, name, tree: recordZones, isItem: false, rules, schemas: [] };
}

/** Steps from place to place, beside the schema of the arguments where there is one. */
export class MaskPlaces {
  readonly #schema: SecretSchema | undefined;

  constructor(argumentsSchema: unknown) {
    this.#schema = argumentsSchema === undefined ? undefined : new SecretSchema(argumentsSchema);
  }

  /** `shown`: the name as it is kept. */
  member(place: MaskPlace, name: string, shown: string): MaskPlace {
    const pointer = `${place.pointer}/${escaped(shown)}`;
    return {
      pointer,
      name,
      tree: zoneOf(place.tree, name),
      isItem: false,
      rules: rulesBelow(place.rules, name),
      schemas: this.#schemasOf(pointer, place, name),
    };
  }

  item(place: MaskPlace, index: number): MaskPlace {
    return {
      pointer: `${place.pointer}/${index}`,
      name: place.name,
      tree: zoneOf(place.tree, undefined),
      isItem: true,
      rules: rulesBelow(place.rules, String(index)),
      schemas: place.schemas.length === 0 ? [] : (this.#schema?.item(place.schemas, index) ?? []),
    };
  }

  #schemasOf(pointer: string, { schemas }: MaskPlace, name: string): SchemasAt {
    if (pointer === argumentsPointer) return this.#schema?.start() ?? [];
    return schemas.length === 0 ? [] : (this.#schema?.member(schemas, name) ?? []);
  }
}

function escaped(name: string): string {
  if (!name.includes("~") && !name.includes("/")) return name;
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** The rule that hides what is at a place, the operator's, a bundle's or the schema's. */
export function hidingRule(
  { pointer, tree, rules, schemas }: MaskPlace,
  isLeaf: boolean,
): Pick<MaskRule, "op" | "value"> | undefined {
  const isOwn = tree.zone === "fixed" && !pointer.startsWith("/input/");
  const rule = isOwn ? undefined : ruleFor(rules, isLeaf);
  return rule ?? (isSecretAt(schemas) ? { op: "upsert" } : undefined);
}

/** True where nothing in a value could be hidden. */
export function isUntouchable({ tree, rules }: MaskPlace): boolean {
  return tree.zone === "fixed" && tree.members === undefined && rules.length === 0;
}

/** True where the names of members were chosen by somebody else, and may be hidden too. */
export function hasForeignNames({ pointer, tree }: MaskPlace): boolean {
  if (tree.zone === "content") return pointer !== action;
  return tree.zone === "said" && /\/details(?:\/|$)/.test(pointer);
}

/** True for a place in what was sent: a digest of that would give it away. */
export function isSent(pointer: string): boolean {
  return pointer.startsWith(`${action}/`);
}

/** True for what others wrote: all of it goes where masking fails. */
export function isForeign(zone: Zone): boolean {
  return zone === "content";
}
