// Server-sent events over fetch(): EventSource cannot send the token.

import { ServiceError } from "/static/service.js";

/** Takes a stream apart, in whatever pieces it comes: `push(text)` gives the events it ended. */
export class Frames {
  #rest = "";
  #event = { event: "message", data: [], id: null };

  push(text) {
    // A CR at the end may be half of a CRLF.
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?=[^\n])/);
    this.#rest = lines.pop();
    return lines.map((line) => this.#line(line)).filter((ended) => ended !== null);
  }

  #line(line) {
    if (line === "") return this.#end();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#event.event = value;
    else if (field === "data") this.#event.data.push(value);
    else if (field === "id") this.#event.id = value;
    return null;
  }

  #end() {
    const { event, data, id } = this.#event;
    this.#event = { event: "message", data: [], id: null };
    return data.length === 0 ? null : { event, data: data.join("\n"), id };
  }
}

/** Seconds without a byte after which a stream is taken for dead; the service says more often that it lives. */
export const SILENCE = 25;
const ENDED = "the service ended the connection";

/** No word has come for too long. */
export class SilentError extends Error {}

/**
 * Follow the service's events after `cursor` until the stream breaks, which is thrown.
 *
 * `heard(events)` is called for each piece that comes, also for those without an event.
 */
export async function follow(service, cursor, heard, signal) {
  const silence = new AbortController();
  const either = AbortSignal.any([signal, silence.signal]);
  let timer = 0;
  const listen = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(new SilentError(`nothing heard for ${SILENCE} s`)), SILENCE * 1000);
  };
  listen();
  try {
    const answer = await service.open("events/stream", { "Last-Event-ID": cursor }, either);
    const reader = answer.body.getReader();
    const decoder = new TextDecoder();
    const frames = new Frames();
    for (;;) {
      const { value, done } = await reader.read().catch((err) => {
        throw either.aborted ? either.reason : new ServiceError(ENDED, { cause: err });
      });
      if (done) throw new ServiceError(ENDED);
      listen();
      await heard(frames.push(decoder.decode(value, { stream: true })));
    }
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}
