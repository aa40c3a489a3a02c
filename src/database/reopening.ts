/**
 * A connection that is opened with its first use, and anew after one that could not be opened. What
 * breaks later is mended by the connection itself (a pool), or by who uses it.
 */

/** Something that has to be closed. */
interface Closable {
  readonly close: () => Promise<void>;
}

export interface Reopening<Connection extends Closable> {
  /** The open connection; rejects where it cannot be opened, and tries again the next time. */
  readonly open: () => Promise<Connection>;
  /** Closes what is open, or is being opened. */
  readonly close: () => Promise<void>;
}

/** Nothing is connected before `open`; those that ask meanwhile wait for the same attempt. */
export function reopening<Connection extends Closable>(
  connect: () => Promise<Connection>,
): Reopening<Connection> {
  let connection: Promise<Connection> | undefined;

  return {
    open: async () => {
      const opening = (connection ??= connect());
      try {
        return await opening;
      } catch (thrown) {
        if (connection === opening) connection = undefined;
        throw thrown;
      }
    },
    close: async () => {
      const closing = connection;
      connection = undefined;
      const opened = await closing?.catch(() => undefined);
      await opened?.close();
    },
  };
}
