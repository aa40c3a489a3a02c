/**
 * Where private keys begin and end in a text, as PEM, OpenPGP and PuTTY write them: sources of regular
 * expressions, each linear.
 */

const ofPem = "(?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----";

export const privateKeyBegin = `-----BEGIN ${ofPem}|PuTTY-User-Key-File-\\d`;
export const privateKeyEnd = `-----END ${ofPem}|Private-MAC: ?[0-9a-f]{0,128}`;
