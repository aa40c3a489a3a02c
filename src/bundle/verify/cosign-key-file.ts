/**
 * Private keys as `cosign generate-key-pair` writes them: PKCS #8 in a secret box, whose key comes
 * from a password by scrypt.
 */
import { scryptSync } from "node:crypto";
import * as z from "zod";
import { parseJson } from "../parse-json.ts";
import { decodeBase64 } from "./base64.ts";
import { openSecretBox } from "./secretbox.ts";

const armour =
  /-----BEGIN ENCRYPTED (SIGSTORE|COSIGN) PRIVATE KEY-----([\sA-Za-z0-9+/=]+)-----END ENCRYPTED \1 PRIVATE KEY-----/;
/** What cosign writes has N = 65536; a file that asks for much more asks for this machine's memory. */
const maxCost = 2 ** 18;
const fileSchema = z.object({
  kdf: z.object({
    name: z.literal("scrypt"),
    params: z.object({
      N: z.int().min(2).max(maxCost),
      r: z.int().min(1).max(8),
      p: z.int().min(1).max(4),
    }),
    salt: z.base64(),
  }),
  cipher: z.object({ name: z.literal("nacl/secretbox"), nonce: z.base64() }),
  ciphertext: z.base64(),
});

/** True for a key of this kind. */
export function isCosignKey(pem: string): boolean {
  return armour.test(pem);
}

/**
 * The key in PKCS #8, DER; `undefined` where the password is not its own, or the file is broken.
 */
export function openCosignKey(pem: string, password: string): Buffer | undefined {
  const text = armour.exec(pem)?.[2]?.replace(/\s/g, "") ?? "";
  const file = fileSchema.safeParse(parseJson(decodeBase64(text)));
  if (!file.success) return undefined;
  const { kdf, cipher, ciphertext } = file.data;
  const { N, r, p } = kdf.params;
  const salt = Buffer.from(kdf.salt, "base64");
  const key = scryptSync(password, salt, 32, { N, r, p, maxmem: 256 * N * r });
  const nonce = Buffer.from(cipher.nonce, "base64");
  return openSecretBox(Buffer.from(ciphertext, "base64"), key, nonce);
}
