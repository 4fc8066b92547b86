// The service's API, with the token of whoever looks.

import { learn } from "/static/times.js";

const KEY = "arteriole.token";
const SILENT = "the service does not answer";
/** Seconds in which an answer must come. */
const PATIENCE = 30;

/** The service wants a token, or another one. */
export class TokenError extends Error {}
/** There is no such thing. */
export class MissingError extends Error {}
/** It does not answer, or not as it should. */
export class ServiceError extends Error {}

export class Service {
  get token() {
    return sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY) ?? "";
  }

  /** Keep the token until the tab closes, or in this browser if `long`. */
  keep(token, long) {
    this.forget();
    (long ? localStorage : sessionStorage).setItem(KEY, token);
  }

  forget() {
    sessionStorage.removeItem(KEY);
    localStorage.removeItem(KEY);
  }

  /** What `/api/1.0/<path>` answers. */
  async get(path, query = {}) {
    const words = new URLSearchParams(query).toString();
    const signal = AbortSignal.timeout(PATIENCE * 1000);
    return (await this.open(words ? `${path}?${words}` : path, {}, signal)).json();
  }

  async health() {
    return (await this.#fetch("/health", {}, AbortSignal.timeout(PATIENCE * 1000))).json();
  }

  /** The answer itself, once its headers are there. */
  async open(path, headers, signal) {
    const token = this.token;
    if (token) headers = { ...headers, Authorization: `Bearer ${token}` };
    return this.#fetch(`/api/1.0/${path}`, headers, signal);
  }

  async #fetch(url, headers, signal) {
    const answer = await fetch(url, {
      headers,
      signal,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
    }).catch((err) => {
      throw signal.aborted && err.name !== "TimeoutError" ? err : new ServiceError(SILENT, { cause: err });
    });
    learn(answer.headers.get("Date"));
    if (answer.ok) return answer;
    const told = await answer.json().then((body) => body.error, () => undefined);
    const message = told?.message ?? `the service answers ${answer.status}`;
    const kinds = { 401: TokenError, 403: TokenError, 404: MissingError };
    throw new (kinds[answer.status] ?? ServiceError)(message);
  }
}

/** A run's path, whatever its name holds. */
export function runPath(name, rest = "") {
  if ([".", ".."].includes(name)) throw new MissingError("this is no run's name");
  return `runs/${encodeURIComponent(name)}${rest}`;
}
