/**
 * Metadata and key sets that must not be used: of another issuer, from elsewhere, too large, too
 * slow, or none at all. Each is a 503, since it says nothing about the token.
 */
import { describe, expect, test } from "vitest";
import { fetchJson } from "../../../../src/mcp/downstream/authorization/fetch-json.ts";
import { loadKeys } from "../../../../src/mcp/downstream/authorization/load-keys.ts";
import { issuerConfig, serve, setUp, startIssuer } from "./support.ts";

const wellKnown = "/.well-known/oauth-authorization-server";

function loadFrom(issuer: string, jwksUri?: string) {
  return loadKeys({ issuer, jwksUri, fetch });
}

/** What metadata would name, served in place of the network. */
function answering(document: unknown): typeof fetch {
  return () => Promise.resolve(Response.json(document));
}

describe("an issuer's metadata", () => {
  test("of another issuer is not used", async () => {
    for (const issuer of ["https://idp.example", undefined, 7]) {
      const { origin } = await startIssuer((path, own) =>
        path.startsWith("/.well-known") ? { issuer, jwks_uri: `${own}/jwks` } : undefined,
      );
      const problem = typeof issuer === "string" ? "issuer_mismatch" : "unexpected_shape";
      expect(await loadFrom(origin)).toEqual({ ok: false, step: "metadata", problem });
    }
  });

  test("of the same issuer with a slash more is that of another", async () => {
    const { origin } = await startIssuer((path, own) =>
      path.startsWith("/.well-known") ? { issuer: `${own}/`, jwks_uri: `${own}/jwks` } : undefined,
    );
    expect(await loadFrom(origin)).toMatchObject({ problem: "issuer_mismatch" });
  });

  test("is looked for before and behind the issuer's path", async () => {
    const { origin, state } = await startIssuer((path, own) =>
      path === "/tenant/.well-known/openid-configuration"
        ? { issuer: `${own}/tenant/`, jwks_uri: `${own}/jwks` }
        : undefined,
    );
    expect(await loadFrom(`${origin}/tenant/`)).toMatchObject({ ok: true });
    expect(state.requests).toEqual([
      `${wellKnown}/tenant`,
      "/.well-known/openid-configuration/tenant",
      "/tenant/.well-known/openid-configuration",
      "/jwks",
    ]);
  });

  test("may not send the gateway to plain http, nor to its own machine", async () => {
    const issuer = "https://idp.example";
    const hostile = {
      "http://idp.example/jwks": "insecure_url",
      "file:///etc/passwd": "insecure_url",
      "data:application/json,{}": "insecure_url",
      "no URL": "insecure_url",
      "https://localhost/jwks": "address_refused",
      "http://127.0.0.1:9/jwks": "address_refused",
      "https://[::1]/jwks": "address_refused",
    };
    for (const [jwksUri, problem] of Object.entries(hostile)) {
      const document = { issuer, jwks_uri: jwksUri };
      const loaded = await loadKeys({ issuer, jwksUri: undefined, fetch: answering(document) });
      expect(loaded, jwksUri).toEqual({ ok: false, step: "metadata", problem });
    }
  });

  test("is not fetched over plain http, except from this machine", async () => {
    const addresses = [
      "http://idp.example",
      "http://127.0.0.1.example",
      "ftp://idp.example",
      "idp",
    ];
    for (const address of addresses) {
      expect(await loadFrom(address)).toMatchObject({ problem: "insecure_url" });
      expect(await loadFrom("https://idp.example", `${address}/jwks`)).toMatchObject({
        step: "keys",
        problem: "insecure_url",
      });
    }
  });
});

describe("a document of an issuer", () => {
  test("is not fetched from where a redirect leads", async () => {
    const { origin, state } = await startIssuer();
    const elsewhere = await serve((_request, response) =>
      response.writeHead(302, { location: `${origin}/jwks` }).end(),
    );
    expect(await loadFrom(origin, `${elsewhere.origin}/jwks`)).toEqual({
      ok: false,
      step: "keys",
      problem: "status",
      status: 302,
    });
    expect(state.requests).toEqual([]);
  });

  test("is read up to a megabyte and no further", async () => {
    const large = (bytes: number) => ({ keys: [], padding: "x".repeat(bytes - 24) });
    const { origin } = await startIssuer((path) => large(path === "/fits" ? 1_048_576 : 1_048_577));
    expect(await fetchJson(fetch, `${origin}/fits`)).toMatchObject({ ok: true });
    expect(await fetchJson(fetch, `${origin}/more`)).toEqual({ ok: false, problem: "too_large" });
  });

  test("that never ends is given up after a megabyte", async () => {
    const { origin } = await serve((_request, response) => {
      const write = (): void => {
        while (!response.destroyed && response.write("x".repeat(65_536)));
      };
      response.on("drain", write);
      write();
    });
    expect(await fetchJson(fetch, origin)).toEqual({ ok: false, problem: "too_large" });
  });

  test("that does not come is given up after five seconds", async () => {
    const { origin } = await serve(() => undefined);
    const beganMs = performance.now();
    expect(await fetchJson(fetch, origin)).toEqual({ ok: false, problem: "timeout" });
    expect(performance.now() - beganMs).toBeGreaterThan(4_900);
  });

  test("that stops in the middle is given up after five seconds", async () => {
    const { origin } = await serve((_request, response) => void response.write('{"keys":'));
    expect(await fetchJson(fetch, origin)).toEqual({ ok: false, problem: "timeout" });
  });

  test("that is a login page or no key set is not used", async () => {
    const { origin } = await serve((_request, response) => void response.end("<html>"));
    expect(await loadFrom(origin, origin)).toMatchObject({ step: "keys", problem: "no_json" });
    for (const document of [[], "keys", { keys: {} }, {}]) {
      const issuer = await startIssuer(() => document);
      expect(await loadFrom(issuer.origin, `${issuer.origin}/jwks`)).toEqual({
        ok: false,
        step: "keys",
        problem: "unexpected_shape",
      });
    }
  });

  test("that cannot be used is a 503 for tokens, and one line for the operator", async () => {
    const issuer = await startIssuer((path) => (path === "/jwks" ? 500 : undefined));
    const { authenticate, log } = setUp({ issuers: [issuerConfig(issuer.origin)] });
    expect(await authenticate(await issuer.tokenOf())).toMatchObject({ ok: false, status: 503 });
    expect(log.lines[0]).toEqual({
      level: "warn",
      message: "keys of an issuer could not be fetched",
      data: { step: "keys", problem: "status", status: 500 },
    });
  });
});
