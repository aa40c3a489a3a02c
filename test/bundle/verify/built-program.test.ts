/**
 * The program as it is shipped, in one file with its packages: they have to be whole in it.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeBytes, mediaTypes } from "../../../src/bundle/oci-document.ts";
import { pushBundle } from "../../../src/bundle/push-bundle.ts";
import { parseReference } from "../../../src/bundle/reference.ts";
import { sharedModes } from "../../../src/bundle/sources/layout-file.ts";
import { writableLayout } from "../../../src/bundle/sources/layout.ts";
import { registryOptions } from "../../support/bundle-setting.ts";
import { freshEnvironment, runBin } from "../../support/gateway-process.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { tinyArchive } from "../../support/tiny-bundle.ts";
import { keyless, referrer } from "./support.ts";

test.each([
  ["--identity", keyless.identity, "the signature is for another manifest (subject_mismatch)"],
  ["--identity-regex", "https://git[.]example/.*", "another manifest (subject_mismatch)"],
  ["--identity-regex", "git[.]example", "(identity_mismatch)"],
])(
  "the built program judges certificates: %s %s",
  async (option, identity, reason) => {
    const folder = temporaryFolder();
    const path = join(folder, "layout");
    const reference = `oci-layout:${path}:crm`;
    const registry = registryOptions();
    const { digest } = await pushBundle(tinyArchive(), parseReference(reference), { registry });
    const sink = writableLayout(path, sharedModes);
    const signature = Buffer.from(JSON.stringify(keyless.bundles["good"]));
    const layer = describeBytes(signature, mediaTypes.sigstoreBundle);
    const manifest = Buffer.from(JSON.stringify(referrer(digest, layer)));
    await sink.writeBlob(signature, layer);
    await sink.attach(manifest, describeBytes(manifest, mediaTypes.manifest), digest);
    const root = join(folder, "trusted_root.json");
    await writeFile(root, JSON.stringify(keyless.trusted_root), { mode: 0o600 });
    const signers = [option, identity, "--issuer", keyless.issuer, "--trusted-root", root];
    const run = await runBin(["bundle", "verify", reference, ...signers], freshEnvironment());
    expect(run.stderr).toContain(reason);
    expect(run).toMatchObject({ code: 8, stdout: "" });
  },
  60_000,
);
