/**
 * A place in a record while it is masked: its pointer, who wrote what is there, and the rules and
 * schemas that speak of it. Most places are passed by, so that a pointer is only written when it is
 * asked for.
 */
import type { MaskRule, RuleAt } from "./mask-rules.ts";
import { ruleFor, rulesBelow } from "./mask-rules.ts";
import { actionZones, recordZones, zoneOf } from "./record-zones.ts";
import type { Zone, ZoneTree } from "./record-zones.ts";
import { isSecretAt, mayCallSecret, SecretSchema } from "./secret-schema.ts";
import type { SchemasAt } from "./secret-schema.ts";

const action = "/input/action";
const none: readonly never[] = [];

interface Step {
  readonly parent: MaskPlace | undefined;
  /** As the member is kept, or the index of an item. */
  readonly shown: string;
  readonly isItem: boolean;
}

interface Spoken {
  /** Of the member that it is, or is in. */
  readonly name: string | undefined;
  readonly tree: ZoneTree;
  readonly rules: readonly RuleAt[];
  readonly schemas: SchemasAt;
}

export class MaskPlace {
  readonly name: string | undefined;
  readonly tree: ZoneTree;
  readonly rules: readonly RuleAt[];
  readonly schemas: SchemasAt;
  readonly isItem: boolean;
  /** True where the names of members were chosen by somebody else, and may be hidden too. */
  readonly hasForeignNames: boolean;
  readonly #parent: MaskPlace | undefined;
  readonly #shown: string;
  #pointer: string | undefined;

  constructor({ parent, shown, isItem }: Step, { name, tree, rules, schemas }: Spoken) {
    this.name = name;
    this.tree = tree;
    this.rules = rules;
    this.schemas = schemas;
    this.isItem = isItem;
    this.#parent = parent;
    this.#shown = shown;
    this.hasForeignNames =
      tree.zone === "content"
        ? tree !== actionZones
        : tree.zone === "said" && (parent?.isInDetails === true || shown === "details");
  }

  /** JSON pointer into the record as it is kept. */
  get pointer(): string {
    this.#pointer ??=
      this.#parent === undefined ? "" : `${this.#parent.pointer}/${escaped(this.#shown)}`;
    return this.#pointer;
  }

  /** Below a member `details`. */
  get isInDetails(): boolean {
    return this.tree.zone === "said" && this.hasForeignNames;
  }
}

/** The record itself. */
export function rootPlace(rules: readonly RuleAt[]): MaskPlace {
  const step = { parent: undefined, shown: "", isItem: false };
  return new MaskPlace(step, { name: undefined, tree: recordZones, rules, schemas: none });
}

/** Steps from place to place, beside the schema of the arguments where there is one. */
export class MaskPlaces {
  readonly #schema: SecretSchema | undefined;

  constructor(argumentsSchema: unknown) {
    this.#schema = mayCallSecret(argumentsSchema) ? new SecretSchema(argumentsSchema) : undefined;
  }

  /** `shown`: the name as it is kept. */
  member(parent: MaskPlace, name: string, shown: string): MaskPlace {
    const tree = zoneOf(parent.tree, name);
    const rules = rulesBelow(parent.rules, name);
    const schemas = this.#schema === undefined ? none : this.#schemasOf(this.#schema, parent, name);
    return new MaskPlace({ parent, shown, isItem: false }, { name, tree, rules, schemas });
  }

  item(parent: MaskPlace, index: number): MaskPlace {
    const { name, schemas } = parent;
    return new MaskPlace(
      { parent, shown: String(index), isItem: true },
      {
        name,
        tree: zoneOf(parent.tree, undefined),
        rules: rulesBelow(parent.rules, String(index)),
        schemas: schemas.length === 0 ? none : (this.#schema?.item(schemas, index) ?? none),
      },
    );
  }

  #schemasOf(schema: SecretSchema, { tree, schemas }: MaskPlace, name: string): SchemasAt {
    if (tree === actionZones && name === "args") return schema.start();
    return schemas.length === 0 ? none : schema.member(schemas, name);
  }
}

function escaped(name: string): string {
  if (!name.includes("~") && !name.includes("/")) return name;
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** The rule that hides what is at a place, the operator's, a bundle's or the schema's. */
export function hidingRule(
  place: MaskPlace,
  isLeaf: boolean,
): Pick<MaskRule, "op" | "value"> | undefined {
  const { tree, rules, schemas } = place;
  if (rules.length === 0 && schemas.length === 0) return undefined;
  const isOwn = tree.zone === "fixed" && !place.pointer.startsWith("/input/");
  const rule = isOwn ? undefined : ruleFor(rules, isLeaf);
  return rule ?? (isSecretAt(schemas) ? { op: "upsert" } : undefined);
}

/** True where nothing in a value could be hidden. */
export function isUntouchable({ tree, rules }: MaskPlace): boolean {
  return tree.zone === "fixed" && tree.members === undefined && rules.length === 0;
}

/** True for a place in what was sent: a digest of that would give it away. */
export function isSent(pointer: string): boolean {
  return pointer.startsWith(`${action}/`);
}

/** True for what others wrote: all of it goes where masking fails. */
export function isForeign(zone: Zone): boolean {
  return zone === "content";
}
