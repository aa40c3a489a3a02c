/**
 * Verifies a chain of certificates as Go's `Certificate.Verify` does, to the one root that is given:
 * signatures, validity at a certain time, authorities and their path lengths, name constraints, and
 * extended key usage along the whole chain. Nothing is asked about revocation.
 *
 * It is stricter than Go in one place: a chain with an authority that demands a certificate policy is
 * refused, where Go would work out which policies hold.
 */
import { createPublicKey, verify } from "node:crypto";
import type { Certificate } from "./x509-certificate.ts";
import { extendedKeyUsages } from "./x509-fields-json.ts";
import { areNamesAllowed, isForHost } from "./x509-name-checks.ts";
import { publicKeyAlgorithm } from "./x509-public-key.ts";

export interface ChainOptions {
  readonly timeMs: number;
  /** Checked where it is not empty. */
  readonly host: string;
  /** Numbers of Go's `x509.ExtKeyUsage`; server authentication where there are none. */
  readonly usages: readonly number[];
}

interface Pool {
  readonly root: Certificate;
  readonly intermediates: readonly Certificate[];
  readonly options: ChainOptions;
  /** Signatures that may still be checked. */
  left: number;
}

const certSign = 32;
const anyUsage = 0;
const serverAuth = 1;
const maxSignatureChecks = 100;
const subjectAltName = "2.5.29.17";
const nameConstraints = "2.5.29.30";

/**
 * The first chain from the last certificate to the first, which is the root.
 *
 * @returns Leaf first; undefined where there is none.
 */
export function verifyChain(
  certificates: readonly Certificate[],
  options: ChainOptions,
): readonly Certificate[] | undefined {
  const [root, ...rest] = certificates;
  const leaf = rest.pop();
  if (root === undefined || leaf === undefined || !isCurrent(leaf, options)) return undefined;
  if (!isWithinLength(leaf, 0) || (options.host !== "" && !isForHost(leaf, options.host))) {
    return undefined;
  }
  const pool: Pool = { root, intermediates: rest, options, left: maxSignatureChecks };
  const chains = leaf.raw.equals(root.raw) ? [[leaf]] : buildChains([leaf], pool);
  return chains.find((chain) => isAcceptable(chain, options));
}

/** Every chain that goes on from the last certificate of this one. */
function buildChains(
  chain: readonly Certificate[],
  pool: Pool,
): readonly (readonly Certificate[])[] {
  const roots = findParents(chain, [pool.root], pool).filter((parent) =>
    isValidParent(parent, chain, pool),
  );
  const parents = findParents(chain, pool.intermediates, pool).filter(
    (parent) => parent.fields.basicConstraints?.isCa === true && isValidParent(parent, chain, pool),
  );
  return [
    ...roots.map((root) => [...chain, root]),
    ...parents.flatMap((parent) => buildChains([...chain, parent], pool)),
  ];
}

function findParents(
  chain: readonly Certificate[],
  candidates: readonly Certificate[],
  pool: Pool,
): readonly Certificate[] {
  const child = chain.at(-1);
  return candidates.filter((candidate) => {
    if (child === undefined || !child.rawIssuer.equals(candidate.rawSubject)) return false;
    pool.left -= 1;
    return pool.left >= 0 && !isInChain(candidate, chain) && isSignedBy(child, candidate);
  });
}

function isValidParent(parent: Certificate, chain: readonly Certificate[], pool: Pool): boolean {
  return isCurrent(parent, pool.options) && isWithinLength(parent, chain.length - 1);
}

function isCurrent({ notBeforeMs, notAfterMs, fields }: Certificate, { timeMs }: ChainOptions) {
  return timeMs >= notBeforeMs && timeMs <= notAfterMs && fields.unhandledCritical.length === 0;
}

function isWithinLength({ fields }: Certificate, intermediates: number): boolean {
  const maximum = fields.basicConstraints?.maxPathLength ?? -1;
  return maximum < 0 || intermediates <= maximum;
}

/** The same subject and key under another certificate would let chains run in circles. */
function isInChain(candidate: Certificate, chain: readonly Certificate[]): boolean {
  return chain.some(
    (certificate) =>
      certificate.rawSubject.equals(candidate.rawSubject) &&
      certificate.rawPublicKey.equals(candidate.rawPublicKey) &&
      namesOf(certificate) === namesOf(candidate),
  );
}

function namesOf({ extensions }: Certificate): string | undefined {
  return extensions.find(({ id }) => id === subjectAltName)?.value.toString("hex");
}

function isSignedBy(child: Certificate, parent: Certificate): boolean {
  const { basicConstraints, keyUsage } = parent.fields;
  if (parent.version === 3 && basicConstraints === undefined) return false;
  if (basicConstraints?.isCa === false) return false;
  if (keyUsage !== 0 && (keyUsage & certSign) === 0) return false;
  if (parent.publicKeyAlgorithm === publicKeyAlgorithm.unknown) return false;
  return isSignatureValid(child, parent.rawPublicKey);
}

/** MD5 and SHA-1 have no digest in the table of algorithms, and so never verify. */
function isSignatureValid(
  { signatureAlgorithm, rawTbs, signature }: Certificate,
  issuerKey: Buffer,
): boolean {
  const { digest, key, saltBytes } = signatureAlgorithm;
  const publicKey = createPublicKey({ key: issuerKey, format: "der", type: "spki" });
  if (key === undefined || publicKey.asymmetricKeyType !== key) return false;
  const padding = saltBytes === undefined ? {} : { padding: 6, saltLength: saltBytes };
  return verify(digest ?? null, rawTbs, { key: publicKey, ...padding }, signature);
}

function isAcceptable(chain: readonly Certificate[], { usages }: ChainOptions): boolean {
  const wanted = usages.length === 0 ? [serverAuth] : usages;
  const isPolicyFree = chain
    .slice(0, -1)
    .every(({ fields }) => fields.requireExplicitPolicy === undefined);
  const isUsable = wanted.includes(anyUsage) || areUsagesAllowed(chain, wanted);
  return isPolicyFree && isUsable && areConstraintsKept(chain);
}

/** One wanted usage has to be allowed by every certificate that says anything of usages. */
function areUsagesAllowed(chain: readonly Certificate[], wanted: readonly number[]): boolean {
  const said = chain
    .map(({ fields }) => fields.extendedKeyUsage.map((usage) => extendedKeyUsages[usage] ?? -1))
    .filter((usages) => usages.length > 0 && !usages.includes(anyUsage));
  return wanted.some((usage) => said.every((usages) => usages.includes(usage)));
}

/** Each authority's constraints hold for all certificates below it. */
function areConstraintsKept(chain: readonly Certificate[]): boolean {
  return chain.every(
    ({ extensions, fields: { constraints } }, place) =>
      !extensions.some(({ id }) => id === nameConstraints) ||
      chain.slice(0, place).every(({ fields: { names } }) => areNamesAllowed(constraints, names)),
  );
}
