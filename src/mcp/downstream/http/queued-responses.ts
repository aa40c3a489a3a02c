/**
 * Responses that wait for their turn on a connection whose client sent several requests at once.
 * Node tells a response of the end of its connection only while it has its turn; without this, what
 * waits behind another answer would be served, and held, for a client that is long gone.
 */
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Returns what has to be called with every response as soon as there is one. */
export function createQueuedResponses(): (response: ServerResponse) => void {
  const queues = new WeakMap<Socket, Set<ServerResponse>>();

  function queueOf(socket: Socket): Set<ServerResponse> {
    const known = queues.get(socket);
    if (known !== undefined) return known;
    const queue = new Set<ServerResponse>();
    queues.set(socket, queue);
    socket.once("close", () => {
      for (const response of queue) loseClient(response);
    });
    return queue;
  }

  return (response) => {
    if (response.socket !== null) return;
    const queue = queueOf(response.req.socket);
    queue.add(response);
    response.once("close", () => queue.delete(response));
  };
}

/** What Node does itself to the response that has its turn. */
function loseClient(response: ServerResponse): void {
  if (response.destroyed) return;
  response.destroy();
  response.emit("close");
}
