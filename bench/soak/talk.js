/**
 * Requests of one client in one life: numbered from 1, as every other client's are, so that an
 * answer that went astray would be taken for one's own if only its id were looked at.
 */

/**
 * @typedef {import("./wire.js").Message} Message
 * @typedef {{ signal?: AbortSignal, isGivenUp?: boolean,
 *   onNotice?: (notice: Message) => void }} Hooks
 * @typedef {(method: string, params?: object, hooks?: Hooks) => Promise<Message | undefined>} Talk
 * @typedef {{ headers: Record<string, string>, body: Message }} Framed
 * @typedef {{ wire: import("./wire.js").Wire, tally: import("./tally.js").Tally, who: string,
 *   frame: (id: number, method: string, params: object) => Framed,
 *   onQuestion?: (question: Message) => Promise<void>,
 *   onSession?: (id: string) => void }} TalkParts
 */

/**
 * Makes the way a client asks: resolves with the JSON-RPC answer, or with `undefined` where the
 * client gave up before there was one.
 *
 * @param {TalkParts} parts
 * @returns {Talk}
 */
export function createTalk({ wire, tally, who, frame, onQuestion, onSession }) {
  let lastId = 0;
  return async (method, params = {}, { signal, isGivenUp = false, onNotice } = {}) => {
    lastId += 1;
    const id = lastId;
    const fault = (/** @type {string} */ what) => tally.fault(`${who} ${method}: ${what}`);
    /** @type {Message | undefined} */
    let answer;
    const take = (/** @type {Message} */ message) => {
      if (message["method"] !== undefined && message["id"] !== undefined) {
        if (onQuestion === undefined) fault("asked by a server");
        else onQuestion(message).catch((error) => fault(`not answered: ${error.message}`));
      } else if (message["method"] !== undefined) {
        if (onNotice === undefined) fault(`heard ${brief(message)}`);
        else onNotice(message);
      } else if (message["id"] !== id || answer !== undefined) fault(`answered ${brief(message)}`);
      else answer = message;
    };
    const ended = await wire.send({
      method: "POST",
      ...frame(id, method, params),
      signal,
      onMessage: take,
    });
    tally.count(method);
    if (ended.session !== undefined) onSession?.(ended.session);
    if (answer === undefined && !isGivenUp) {
      fault(`no answer, HTTP status ${ended.status}${ended.isCut ? ", cut" : ""}`);
    }
    return answer;
  };
}

/** @param {unknown} message */
export function brief(message) {
  return JSON.stringify(message)?.slice(0, 300) ?? "nothing";
}
