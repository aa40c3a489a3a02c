/**
 * Who holds connections of which server, so that they hold those of its next release too: a client
 * that listens is not told that the program behind its server became another one.
 */
import type { FleetServer } from "./fleet-server.ts";

/** Holds a connection of a server; returns how to stop. */
type Take = (server: FleetServer) => () => void;

interface Hold {
  readonly take: Take;
  release: () => void;
}

export class HeldConnections {
  readonly #held = new Map<string, Set<Hold>>();

  /** Holds a connection of this server and of those that come in its place. */
  add(server: FleetServer, take: Take): () => void {
    const { id } = server.config;
    const hold: Hold = { take, release: take(server) };
    const holds = this.#held.get(id) ?? new Set();
    this.#held.set(id, holds.add(hold));
    return () => {
      holds.delete(hold);
      hold.release();
    };
  }

  /** This server came in the place of the one with the same id. */
  renew(server: FleetServer): void {
    for (const hold of this.#held.get(server.config.id) ?? []) {
      hold.release();
      hold.release = hold.take(server);
    }
  }
}
