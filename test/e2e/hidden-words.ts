/**
 * What a server can hide from people, text that must arrive as it was sent, lists full of both, and
 * what is wrong with what a client got of them.
 */
const tags = Array.from("obey", (letter) =>
  String.fromCodePoint(0xe0000 + letter.charCodeAt(0)),
).join("");
export const kinds = {
  "an ANSI escape": "\u001b",
  DEL: "\u007f",
  "a C1 control": "\u009b",
  "a bidirectional override": "\u202e",
  "a bidirectional isolate": "\u2067",
  tags,
  "zero-width bits": "\u200b\u200c\u200b\u200b\u200c",
  "bytes in variation selectors": "\u{e0148}\u{e0155}\u{e0155}\u{e0158}",
};
const scotland = "\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}";
export const ordinary = `می\u200cخواهم क्\u200dष 👩\u200d👧 ❤️\u200d🔥 ${scotland} 葛\u{e0100} שלום\u200f`;
export const dirty = `${Object.values(kinds).join("-")} ${ordinary}`;
export const text = { type: "text", text: dirty };

const open = { type: "object" };
export const lists = {
  instructions: dirty,
  tools: [
    { name: "script", inputSchema: open },
    {
      name: "dirty",
      title: dirty,
      description: dirty,
      annotations: { title: dirty },
      inputSchema: {
        ...open,
        properties: { a: { type: "string", description: dirty, examples: [dirty] } },
      },
      outputSchema: { ...open, properties: { out: { type: "string", title: dirty } } },
    },
    ...["enum", "const", "default", "pattern"].map((keyword) => ({
      name: `bad_${keyword}`,
      inputSchema: {
        ...open,
        properties: { a: { [keyword]: keyword === "enum" ? ["x\u202e"] : "x\u202e" } },
      },
    })),
    { name: "bad_property", inputSchema: { ...open, properties: { "a\u202e": {} } } },
  ],
  prompts: [
    { name: "greet", description: dirty, arguments: [{ name: "who", description: dirty }] },
    { name: "greet_bad", arguments: [{ name: "who\u202e" }] },
  ],
  resources: [{ uri: "memo://open", name: dirty, title: dirty, description: dirty }],
  templates: [{ uriTemplate: "memo://notes/{id}", name: dirty, description: dirty }],
};

/** All names and strings of a message, as a model may be shown them. */
export function stringsIn(value: unknown): string {
  const found: string[] = [];
  JSON.parse(JSON.stringify(value) ?? "null", (key, part: unknown) => {
    found.push(key, typeof part === "string" ? part : "");
    return part;
  });
  return found.join("\n");
}

function written(hidden: string): string {
  return Array.from({ length: hidden.length }, (_, at) => hidden.charCodeAt(at))
    .map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`)
    .join("");
}

/** What is wrong with a message that was sent this dirty so many times. */
export function troublesIn(message: unknown, places = 1): readonly string[] {
  const strings = stringsIn(message);
  const count = (part: string) => strings.split(part).length - 1;
  const ways = Object.entries(kinds).flatMap(([kind, hidden]) => [
    ...(count(hidden) === 0 ? [] : [`${kind} is there`]),
    ...(count(written(hidden)) === places ? [] : [`${kind} is not shown ${places} times`]),
  ]);
  return count(ordinary) === places ? ways : [...ways, "ordinary text was changed"];
}
