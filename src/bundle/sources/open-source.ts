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
  if (reference.scheme === "oci") return await openMirrored(reference, options);
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

/** The registry, with the mirrors that the operator gave it in front. */
async function openMirrored(
  reference: RegistryReference,
  options: RegistryOptions,
): Promise<Closable<ContentSource>> {
  const mirrors = options.settings?.(reference.host)?.mirrors ?? [];
  const primary = await openRegistry(reference, options);
  if (mirrors.length === 0) return primary;
  const { mirroredReference, mirrorOptions, withMirrors } = await import("./mirrors.ts");
  const open = await Promise.all(
    mirrors.map(async (mirror) => ({
      host: mirror.host,
      resolveTags: mirror.resolveTags,
      source: await openRegistry(
        mirroredReference(reference, mirror),
        mirrorOptions(options, mirror),
      ),
    })),
  );
  const close = async (): Promise<void> => {
    await Promise.all([primary, ...open.map(({ source }) => source)].map((each) => each.close()));
  };
  return { ...withMirrors(primary, open, options.log), close };
}

async function openRegistry(
  reference: RegistryReference,
  options: RegistryOptions,
): Promise<Closable<ContentSource & ContentSink>> {
  const { createRegistry } = await import("./registry.ts");
  return await createRegistry(reference, options);
}

function closeNothing(): Promise<void> {
  return Promise.resolve();
}
