/**
 * The three kinds of metric that the gateway has. To count is to find a cell and add to it: nothing
 * is formatted before somebody reads. Names and units follow Prometheus: base units, counters that
 * end in `_total`.
 */
import type { LabelNames } from "./series.ts";
import { SeriesTree } from "./series.ts";

export interface MetricSetting extends Partial<LabelNames> {
  readonly name: string;
  /** One sentence. */
  readonly help: string;
}

/** One value, or one distribution, with its labels. */
export interface Sample {
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly value: number;
  /** Of a histogram, where `value` is the sum: observations in each bucket alone, the last one past all bounds. */
  readonly counts?: readonly number[];
}

/** A metric as it was at one time. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly kind: "counter" | "gauge" | "histogram";
  /** Upper bounds of the buckets, the last one of which has none. */
  readonly bounds?: readonly number[];
  readonly samples: readonly Sample[];
}

export interface Metric {
  readonly read: () => MetricFamily;
}

interface NumberCell {
  value: number;
}

/** Goes up and never down. */
export class Counter implements Metric {
  readonly #setting: MetricSetting;
  readonly #series: SeriesTree<NumberCell>;

  constructor(setting: MetricSetting) {
    this.#setting = setting;
    this.#series = new SeriesTree(namesOf(setting), () => ({ value: 0 }));
  }

  /** Adds to the series of these label values. */
  add(values: readonly string[] = [], amount = 1): void {
    this.#series.cell(values).value += amount;
  }

  /** Takes over a total that is counted elsewhere. */
  take(total: number, values: readonly string[] = []): void {
    this.#series.cell(values).value = total;
  }

  read(): MetricFamily {
    return familyOf(this.#setting, "counter", this.#series);
  }
}

/** A number that is read when somebody asks. */
export class Gauge implements Metric {
  readonly #setting: MetricSetting;
  readonly #series: SeriesTree<NumberCell>;

  constructor(setting: MetricSetting) {
    this.#setting = setting;
    this.#series = new SeriesTree(namesOf(setting), () => ({ value: 0 }));
  }

  set(value: number, values: readonly string[] = []): void {
    this.#series.cell(values).value = value;
  }

  /** Forgets every series. */
  clear(): void {
    this.#series.clear();
  }

  read(): MetricFamily {
    return familyOf(this.#setting, "gauge", this.#series);
  }
}

interface BucketCell {
  readonly counts: number[];
  value: number;
}

/** Distributes observations over buckets. */
export class Histogram implements Metric {
  readonly #setting: MetricSetting & { readonly bounds: readonly number[] };
  readonly #series: SeriesTree<BucketCell>;

  constructor(setting: MetricSetting & { readonly bounds: readonly number[] }) {
    this.#setting = setting;
    const length = setting.bounds.length + 1;
    this.#series = new SeriesTree(namesOf(setting), () => ({
      counts: Array.from({ length }, () => 0),
      value: 0,
    }));
  }

  /** A number that is none, or negative because a clock was wrong, is not observed. */
  observe(value: number, values: readonly string[] = []): void {
    if (!(value >= 0)) return;
    const { bounds } = this.#setting;
    const cell = this.#series.cell(values);
    let place = 0;
    while (value > (bounds[place] ?? Infinity)) place += 1;
    cell.counts[place] = (cell.counts[place] ?? 0) + 1;
    cell.value += value;
  }

  read(): MetricFamily {
    const { name, help, bounds } = this.#setting;
    const { labels } = namesOf(this.#setting);
    const samples = this.#series.all.map(({ values, cell }) => ({
      labels: labelled(labels, values),
      value: cell.value,
      counts: [...cell.counts],
    }));
    return { name, help, kind: "histogram", bounds, samples };
  }
}

function namesOf({ labels = [], open, maxSeries }: MetricSetting): LabelNames {
  return {
    labels,
    ...(open === undefined ? {} : { open }),
    ...(maxSeries === undefined ? {} : { maxSeries }),
  };
}

function familyOf(
  { name, help, labels = [] }: MetricSetting,
  kind: "counter" | "gauge",
  series: SeriesTree<NumberCell>,
): MetricFamily {
  const samples = series.all.map(({ values, cell }) => ({
    labels: labelled(labels, values),
    value: cell.value,
  }));
  return { name, help, kind, samples };
}

function labelled(names: readonly string[], values: readonly string[]) {
  return names.map((name, place) => [name, values[place] ?? ""] as const);
}
