// What is known of the centre, kept as the service has it: loaded once, then by its events.

import { SILENCE, SilentError, follow } from "/static/feed.js";
import { MissingError, TokenError, runPath } from "/static/service.js";
import { stop } from "/static/times.js";

/** Runs a request. */
const PAGE = 500;
/** So many changed runs are asked for one by one; more are asked for as a list. */
const FEW = 12;
/** Seconds: what changes without an event is asked for again. */
const REGULAR = 10;
/** With every so many of these looks, how far jobs are: nobody tells of it more often than each minute. */
const JOBS = 3;
/** Seconds: everything is. */
const WHOLE = 300;
/** Milliseconds in which events are gathered. */
const GATHER = 100;
/** Seconds between two tries to connect, at most. */
const LONGEST_PAUSE = 10;
/** Seconds for which a hidden page listens on: a browser has six connections to one host. */
const HIDDEN = 60;

const isRunning = (run) => run.stages.some((stage) => stage.state === "running");
const isMoving = (run) => run.attempt === 0 && ["sequencing", "copying"].includes(run.verdict);

/** The service's events begin anew: everything is to be loaded again. */
class Reset extends Error {}

/**
 * Events: `change` (detail: the names of the runs that were asked for again, null for all), `live`,
 * and `refused` (detail: why the token is not taken).
 *
 * `live` is "waiting", "live" or "lost"; `heard` is when the service was last heard, in ms.
 */
export class Centre extends EventTarget {
  runs = new Map(); // by path: a refused folder may have another's name
  holds = [];
  health = {};
  mode = "";
  loaded = false;
  live = "waiting";
  heard = null;
  trouble = "";

  #service;
  #cursor = null;
  #dirty = new Set();
  #all = false;
  #jobs = false;
  #looks = 0;
  #wholeAt = 0;
  #gathering = 0;
  #refreshing = Promise.resolve();
  #stopper = new AbortController();
  #running = null;
  #asleep = document.hidden;
  #wake = () => {};

  constructor(service) {
    super();
    this.#service = service;
    setInterval(() => this.#look(), REGULAR * 1000);
    addEventListener("online", () => this.retry());
    let hiding = 0;
    document.addEventListener("visibilitychange", () => {
      clearTimeout(hiding);
      if (document.hidden) hiding = setTimeout(() => this.#sleep(), HIDDEN * 1000);
      else this.#rouse();
    });
    // A page that was left is kept by the browser, with its connections.
    addEventListener("pagehide", () => this.#sleep());
    addEventListener("pageshow", ({ persisted }) => persisted && this.#rouse());
  }

  /** Load everything and follow the events, for as long as the token is taken. */
  async run() {
    const running = {};
    this.#running = running;
    for (let failures = 0; this.#running === running; ) {
      if (this.#asleep) await this.#pause(0);
      try {
        if (this.#cursor === null) await this.#load();
        this.#stopper = new AbortController();
        await follow(
          this.#service,
          this.#cursor,
          async (events) => {
            await this.#hear(events);
            failures = 0;
          },
          this.#stopper.signal,
        );
      } catch (err) {
        if (this.#running !== running) return;
        if (err instanceof Reset) continue;
        if (err instanceof TokenError) return this.#refuse(err);
        this.trouble = err.message;
        this.#set("lost");
        await this.#pause(Math.min(LONGEST_PAUSE, 2 ** failures) * (0.75 + Math.random() / 2));
        failures += 1;
      }
    }
  }

  /** Forget what was shown: it was another's to see. */
  end() {
    this.#running = null;
    this.#stopper.abort();
    this.#wake();
    this.#cursor = null;
    this.#dirty.clear();
    this.runs = new Map();
    this.loaded = false;
    this.heard = null;
    this.#set("waiting");
    this.#changed(null);
  }

  /** Try at once, if the connection is lost. */
  retry() {
    this.#wake();
  }

  #sleep() {
    this.#asleep = true;
    this.#stopper.abort(new Error("the page was hidden"));
  }

  #rouse() {
    this.#asleep = false;
    this.#looks = JOBS;
    this.retry();
    this.#look();
  }

  #pause(seconds) {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (!this.#asleep) setTimeout(resolve, seconds * 1000);
    });
  }

  #refuse(err) {
    this.end();
    this.dispatchEvent(new CustomEvent("refused", { detail: err.message }));
  }

  async #hear(events) {
    this.heard = Date.now();
    for (const { event, data, id } of events) {
      if (event === "reset") {
        this.#cursor = null;
        this.#set("waiting");
        throw new Reset();
      }
      const { run, what } = JSON.parse(data);
      this.#cursor = id ?? this.#cursor;
      if (run === null) this.#all = true;
      else this.#dirty.add(run);
      if (["held", "hold_released"].includes(what)) this.#dirty.add("");
    }
    if (this.live !== "live") {
      this.#note();
      await this.#refresh();
      this.#set("live");
    } else if (this.#all || this.#dirty.size > 0) {
      this.#gather();
    }
  }

  #gather() {
    if (this.#gathering) return;
    this.#gathering = setTimeout(() => {
      this.#gathering = 0;
      this.#refresh().catch((err) => this.doubt(err));
    }, GATHER);
  }

  /** What no event tells of: how far a sequencing or a job is, what /health says, what was removed. */
  #note() {
    for (const run of this.runs.values()) if (isMoving(run)) this.#dirty.add(run.name);
    this.#dirty.add("");
    this.#looks += 1;
    if (this.#looks >= JOBS) {
      this.#looks = 0;
      this.#jobs = [...this.runs.values()].some(isRunning);
    }
    if (Date.now() > this.#wholeAt) this.#all = true;
  }

  async #look() {
    if (this.live !== "live" || document.hidden) return;
    if (Date.now() - this.heard > SILENCE * 1000) {
      this.doubt(new SilentError("the connection was silent for too long"));
      return;
    }
    this.#note();
    await this.#refresh().catch((err) => this.doubt(err));
  }

  /** What is shown may be old now, though the stream may be open. */
  doubt(err) {
    if (this.#running === null) return;
    if (err instanceof TokenError) this.#refuse(err);
    else this.#stopper.abort(err);
  }

  #refresh() {
    this.#refreshing = this.#refreshing.catch(() => {}).then(() => this.#ask());
    return this.#refreshing;
  }

  async #ask() {
    const names = new Set(this.#dirty);
    const all = this.#all || names.size > FEW;
    const jobs = this.#jobs;
    this.#dirty.clear();
    this.#all = false;
    this.#jobs = false;
    if (!all && !jobs && names.size === 0) return;
    try {
      if (all) await this.#loadRuns();
      else await Promise.all([...names].filter(Boolean).map((name) => this.#loadRun(name)));
      if (jobs && !all) for (const name of await this.#loadRunning()) names.add(name);
      if (all || names.has("")) await this.#loadRest();
    } catch (err) {
      for (const name of names) this.#dirty.add(name);
      this.#all ||= all;
      throw err;
    }
    this.#changed(all ? null : names);
  }

  async #load() {
    await Promise.all([this.#loadRuns(), this.#loadRest()]);
    this.heard = Date.now();
    this.#changed(null);
  }

  async #loadRuns() {
    const running = this.#running;
    const runs = new Map();
    let first = null;
    for (let before = null; first === null || before !== null; ) {
      const query = { brief: true, limit: PAGE, ...(before === null ? {} : { before }) };
      const page = await this.#service.get("runs", query);
      if (this.#running !== running) throw new Error("nobody looks any more");
      first ??= page.next;
      for (const run of page.runs) runs.set(run.path, run);
      before = page.before;
      this.mode = page.mode;
      if (!this.loaded && before !== null) {
        this.runs = runs;
        this.#changed(null);
      }
    }
    this.runs = runs;
    this.loaded = true;
    this.#cursor ??= first;
    this.#wholeAt = Date.now() + WHOLE * 1000;
  }

  async #loadRun(name) {
    try {
      const run = await this.#service.get(runPath(name), { brief: true });
      this.runs.set(run.path, run);
    } catch (err) {
      if (!(err instanceof MissingError)) throw err;
      for (const run of this.runs.values()) if (run.name === name) this.runs.delete(run.path);
    }
  }

  /** Those with a running stage, in one answer; their names. */
  async #loadRunning() {
    const running = this.#running;
    const { runs } = await this.#service.get("runs", { brief: true, running: true });
    if (this.#running !== running) throw new Error("nobody looks any more");
    for (const run of runs) this.runs.set(run.path, run);
    return runs.map((run) => run.name);
  }

  async #loadRest() {
    const [holds, health] = await Promise.all([this.#service.get("holds"), this.#service.health()]);
    this.holds = holds.holds;
    this.health = health;
  }

  #set(live) {
    this.live = live;
    stop(live === "lost" ? this.heard : null);
    this.dispatchEvent(new Event("live"));
  }

  #changed(names) {
    this.dispatchEvent(new CustomEvent("change", { detail: names }));
  }
}
