/**
 * Where an HTTP connection gets its tokens from; it neither looks at them nor keeps them.
 */

/** What a server said when it refused. */
export interface HttpChallenge {
  readonly status: 401 | 403;
  readonly wwwAuthenticate: string | undefined;
}

export interface HttpAuthorizer {
  /** Asked before every HTTP request; wins over headers of the configuration. */
  readonly headers: () => Promise<Readonly<Record<string, string>>>;
  /** `retry` where `headers` gives something new now; asked once for each request. */
  readonly onUnauthorized: (challenge: HttpChallenge) => Promise<"retry" | "give_up">;
}
