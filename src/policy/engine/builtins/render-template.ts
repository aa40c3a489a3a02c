/**
 * `strings.render_template`: Go's `text/template` on an object.
 */
import type { Builtin, BuiltinGroup } from "./builtin.ts";
import { textOf } from "./operands.ts";
import { parseTemplate } from "./template/parse-template.ts";
import { runTemplate } from "./template/run-template.ts";
import { fromOpa } from "./template/template-value.ts";
import { writeText } from "./values.ts";

const renderTemplate: Builtin = ([template, variables]) => {
  const text = textOf(template);
  if (text === undefined || variables?.kind !== "object") return undefined;
  try {
    const rendered = runTemplate(parseTemplate(text), fromOpa(variables));
    return writeText(rendered.replaceAll("<no value>", "<undefined>"));
  } catch (thrown) {
    // A template that is none, or cannot do what it says; anything else fails the evaluation.
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
};

export const templateBuiltins: BuiltinGroup = { "strings.render_template": renderTemplate };
