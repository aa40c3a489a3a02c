/**
 * Where a server is: a program to start, or an address; and the roots that its client has.
 */
import type { Command } from "../../support/gateway-process.ts";
import type { Root } from "./client-answers.ts";

export type Endpoint = Place & { readonly roots: readonly Root[] };

export type Place =
  | { readonly carrier: "stdio"; readonly command: Command }
  | { readonly carrier: "http"; readonly url: string };
