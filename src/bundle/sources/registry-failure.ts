/**
 * What a failed request means to a person. Of what the registry wrote only its error codes are
 * repeated: anything else could hold what we sent.
 */
import * as z from "zod";
import { codeOf, messageOf } from "../../errors.ts";
import { BundleError } from "../bundle-error.ts";
import { challengeSchemes } from "./challenge.ts";
import type { RegistryAnswer, RegistrySession } from "./registry-session.ts";

const errorsSchema = z.object({
  errors: z.array(z.object({ code: z.string().regex(/^[A-Z][A-Z_]{0,63}$/) })),
});

/** Failures of a connection that another try may cure; a wrong certificate is none. */
const transientCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "UND_ERR_SOCKET",
  "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
]);

/** True for a failed connection that is worth another try. */
export function isTransient(problem: unknown): boolean {
  return transientCodes.has(codeOf(problem) ?? "");
}

/** What `Retry-After` asks for: seconds, or a date (RFC 9110 §10.2.3). */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

/** The error of a registry that gave no answer. */
export function unreachable(session: RegistrySession, problem: unknown): BundleError {
  const reason = session.signal.aborted
    ? "the deadline of the whole conversation passed"
    : (codeOf(problem) ?? messageOf(problem));
  return new BundleError(
    "bundle_unreachable",
    `${session.where}: expected an answer from ${session.origin}, got none (${reason}); check the address and the network`,
    { cause: problem },
  );
}

/** The error that an unsuccessful answer stands for. */
export function failureOf(
  session: RegistrySession,
  { status, header, body }: RegistryAnswer,
  what: string,
): BundleError {
  const codes = readCodes(body);
  const found = `status ${status}${codes.length === 0 ? "" : ` ${codes.join(", ")}`}`;
  const message = `${session.where}: expected ${what}, found ${found}`;
  if (status === 401) return unauthorized(session, message, header("www-authenticate"));
  if (status === 403) {
    const advice = "these credentials, or nobody without some, may not do that";
    return new BundleError("bundle_unauthorized", `${message}; ${advice}`);
  }
  if (status === 404) return new BundleError("bundle_not_found", message);
  if (status === 429 || status >= 500) {
    const afterMs = retryAfterMs(header("retry-after"), session.clock.nowMs());
    return new BundleError("bundle_unreachable", `${message}; try again later`, {
      retryAfterMs: afterMs,
    });
  }
  return new BundleError("bundle_protocol_invalid", message);
}

function unauthorized(
  session: RegistrySession,
  message: string,
  challenge: string | undefined,
): BundleError {
  const schemes = challengeSchemes(challenge);
  const say = (advice: string): BundleError =>
    new BundleError("bundle_unauthorized", `${message}; ${advice}`);
  if (session.hasSignedIn) {
    return say(`the user name or password for ${session.host} is wrong, or may not do that`);
  }
  if (schemes.has("basic") || schemes.has("bearer")) {
    return say(
      `set registries["${session.host}"] in the config, or run mcp-gateway login ${session.host}`,
    );
  }
  return say(`${session.host} offers no way to sign in that is known here`);
}

function readCodes(body: Buffer): readonly string[] {
  try {
    const parsed = errorsSchema.safeParse(JSON.parse(body.toString("utf8")));
    return parsed.success ? parsed.data.errors.slice(0, 5).map(({ code }) => code) : [];
  } catch {
    return [];
  }
}
