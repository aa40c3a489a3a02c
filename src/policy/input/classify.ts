/**
 * Step 2 of a call: what the operator says a tool touches. A floor; the server's own bundle can only
 * add to it, and where nobody says anything the engine writes `unclassified`.
 */

export interface Classification {
  readonly dataClasses: readonly string[];
  readonly labels: readonly string[];
}

/** Labels that a result brings when neither operator nor policy labelled the tool. */
export const unlabelledResult = ["untrusted_content"] as const;

/** `configured` is the operator's entry for this tool, if there is one. */
export function classify(configured: Classification | undefined): Classification {
  return configured ?? { dataClasses: [], labels: [] };
}
