/**
 * The series of one metric, found by their label values without making a string: a tree of maps, one
 * level a label. What goes past the cap is counted together, under `other` for each label whose values
 * are somebody else's to choose, so that no policy and no server can fill the memory of a monitoring.
 */

/** What stands for the values that had no room. */
export const otherValue = "other";
const maxValueCharacters = 128;

export interface LabelNames {
  /** In the order in which values are given. */
  readonly labels: readonly string[];
  /** Those of `labels` whose values are not the gateway's own. */
  readonly open?: readonly string[];
  /** Series at most, `other` not counted; default 500. */
  readonly maxSeries?: number;
}

export interface OneSeries<Cell> {
  readonly values: readonly string[];
  readonly cell: Cell;
}

type Node<Cell> = Map<string, Node<Cell> | Cell>;

/** Finds and makes the cells of a metric. */
export class SeriesTree<Cell extends object> {
  readonly #names: LabelNames;
  readonly #make: () => Cell;
  readonly #root: Node<Cell> = new Map();
  readonly #all: OneSeries<Cell>[] = [];

  constructor(names: LabelNames, make: () => Cell) {
    this.#names = names;
    this.#make = make;
    if (names.labels.length === 0) this.cell([]);
  }

  get all(): readonly OneSeries<Cell>[] {
    return this.#all;
  }

  /** The cell of these values, one for each label. */
  cell(values: readonly string[]): Cell {
    const known = this.#find(values);
    if (known !== undefined) return known;
    const clean = values.map(cleaned);
    return this.#find(clean) ?? this.#add(clean);
  }

  /** Forgets every series, for what is read anew each time. */
  clear(): void {
    this.#root.clear();
    this.#all.length = 0;
  }

  #find(values: readonly string[]): Cell | undefined {
    let found: Node<Cell> | Cell | undefined = this.#root;
    for (const value of pathOf(values)) {
      if (!(found instanceof Map)) return undefined;
      found = found.get(value);
    }
    return found instanceof Map ? undefined : found;
  }

  #add(values: readonly string[]): Cell {
    const { labels, open = [], maxSeries = 500 } = this.#names;
    if (this.#all.length < maxSeries) return this.#put(values);
    const capped = values.map((value, place) =>
      open.includes(labels[place] ?? "") ? otherValue : value,
    );
    return this.#find(capped) ?? this.#put(capped);
  }

  #put(values: readonly string[]): Cell {
    const cell = this.#make();
    this.#all.push({ values, cell });
    const path = pathOf(values);
    let node = this.#root;
    for (const value of path.slice(0, -1)) {
      const next = node.get(value);
      const child: Node<Cell> = next instanceof Map ? next : new Map();
      node.set(value, child);
      node = child;
    }
    node.set(path.at(-1) ?? "", cell);
    return cell;
  }
}

const soleSeries = [""];

/** A metric without labels has one series, at a place of its own. */
function pathOf(values: readonly string[]): readonly string[] {
  return values.length === 0 ? soleSeries : values;
}

/** What no encoding can write is not put into a label, and nobody reads a label of great length. */
function cleaned(value: string): string {
  return value.slice(0, maxValueCharacters).toWellFormed();
}
