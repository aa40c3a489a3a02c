/**
 * Opens the place that a reference names. The registry client is loaded only when a registry is
 * asked: a gateway with its bundles in a layout starts without it.
 */
import type { ContentSink, ContentSource } from "../content.ts";
import type { LayoutReference, RegistryReference } from "../reference.ts";
import { sharedModes } from "./layout-file.ts";
import { readableLayout, writableLayout } from "./layout.ts";
import type { RegistryOptions } from "./registry-session.ts";

/** A place that has to be closed. */
export type Closable<Place> = Place & { readonly close: () => Promise<void> };

/** Opens a registry or layout for reading. */
export async function openSource(
  reference: RegistryReference | LayoutReference,
  options: RegistryOptions,
): Promise<Closable<ContentSource>> {
  if (reference.scheme === "oci") return await openRegistry(reference, options);
  return { ...readableLayout(reference.path), close: closeNothing };
}

/** Opens a registry or layout for writing. */
export async function openSink(
  reference: RegistryReference | LayoutReference,
  options: RegistryOptions,
): Promise<Closable<ContentSink>> {
  if (reference.scheme === "oci") return await openRegistry(reference, options);
  return { ...writableLayout(reference.path, sharedModes), close: closeNothing };
}

async function openRegistry(
  reference: RegistryReference,
  options: RegistryOptions,
): Promise<Closable<ContentSource & ContentSink>> {
  const { createRegistry } = await import("./registry.ts");
  return createRegistry(reference, options);
}

function closeNothing(): Promise<void> {
  return Promise.resolve();
}
