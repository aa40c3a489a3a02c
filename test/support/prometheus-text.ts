/**
 * Reads the text format of Prometheus strictly, as its own parser and `promtool check metrics` do:
 * every sample belongs to a family that was declared, no series is there twice, names and labels have
 * their grammar, counters and histograms their suffixes, and buckets add up.
 */
export interface ReadSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ReadFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: ReadSample[];
}

/** The families of a document by name; throws where it breaks a rule. */
export function readPrometheusText(text: string): ReadonlyMap<string, ReadFamily> {
  if (!text.endsWith("\n")) throw new Error("expected a line end at the end");
  const families = new Map<string, ReadFamily>();
  const series = new Set<string>();
  let help = "";
  let current: ReadFamily | undefined;
  for (const line of text.slice(0, -1).split("\n")) {
    const [, kind, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (kind === "HELP") help = rest;
    else if (kind === "TYPE") {
      if (families.has(name)) throw new Error(`two families ${name}`);
      current = { name, help, type: rest, samples: [] };
      families.set(name, current);
    } else {
      const sample = readSample(line);
      const id = JSON.stringify([
        sample.name,
        Object.entries(sample.labels).map(String).toSorted(),
      ]);
      if (series.has(id)) throw new Error(`series twice: ${line}`);
      series.add(id);
      if (current === undefined || !belongs(sample.name, current)) {
        throw new Error(`sample of no family: ${line}`);
      }
      current.samples.push(sample);
    }
  }
  for (const family of families.values()) checkFamily(family);
  return families;
}

function readSample(line: string): ReadSample {
  const [, name = "", inner = "", number = ""] =
    /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
  const value = number === "+Inf" ? Infinity : Number(number);
  if (name === "" || Number.isNaN(value)) throw new Error(`no sample: ${line}`);
  const labels: Record<string, string> = {};
  let left = inner;
  while (left !== "") {
    const found = /^([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/.exec(left);
    if (found === null) throw new Error(`labels that cannot be read: ${line}`);
    const [whole, label = "", text = ""] = found;
    if (label in labels) throw new Error(`label twice: ${line}`);
    labels[label] = text.replaceAll(/\\(.)/g, (_, each: string) => (each === "n" ? "\n" : each));
    left = left.slice(whole.length);
  }
  return { name, labels, value };
}

function belongs(name: string, { name: family, type }: ReadFamily): boolean {
  if (type !== "histogram") return name === family;
  return ["_bucket", "_sum", "_count"].some((suffix) => name === `${family}${suffix}`);
}

function checkFamily({ name, help, type, samples }: ReadFamily): void {
  if (help === "") throw new Error(`no help: ${name}`);
  if (!["counter", "gauge", "histogram"].includes(type)) throw new Error(`type ${type}: ${name}`);
  if ((type === "counter") !== name.endsWith("_total")) throw new Error(`suffix of ${name}`);
  if (type !== "histogram") return;
  for (const group of grouped(samples).values()) checkBuckets(name, group);
}

function grouped(samples: readonly ReadSample[]): ReadonlyMap<string, readonly ReadSample[]> {
  const groups = new Map<string, ReadSample[]>();
  for (const sample of samples) {
    const { le: _, ...labels } = sample.labels;
    const key = JSON.stringify(labels);
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  return groups;
}

function checkBuckets(name: string, samples: readonly ReadSample[]): void {
  const buckets = samples.filter((sample) => sample.name === `${name}_bucket`);
  const bounds = buckets.map(({ labels }) =>
    labels["le"] === "+Inf" ? Infinity : Number(labels["le"]),
  );
  const counts = buckets.map(({ value }) => value);
  const isRising = (values: readonly number[]): boolean =>
    values.every((value, place) => place === 0 || value >= (values[place - 1] ?? 0));
  const total = samples.find((sample) => sample.name === `${name}_count`)?.value;
  if (!isRising(bounds) || !isRising(counts)) throw new Error(`buckets do not rise: ${name}`);
  if (bounds.at(-1) !== Infinity || counts.at(-1) !== total) throw new Error(`count of ${name}`);
}
