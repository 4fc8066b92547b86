// A run's own page: why it stands where it stands, its attempts, evidence and history.

import { byId, el, renew } from "/static/elements.js";
import { ago, badge, elapsed, jobBar, markList, moment, progressBar, said } from "/static/parts.js";
import { coded, codeLink } from "/static/runbook.js";
import { MissingError, runPath } from "/static/service.js";
import { between } from "/static/times.js";
import { capital, dateOf, eventWords, evidenceWords, hintParts, metricsWords, plain, stateWord } from "/static/words.js";

/** Events at first, and with each further step. */
const STEP = 30;
/** So many problems of a run folder are listed. */
const PROBLEMS = 20;

export class Detail {
  #centre;
  #service;
  #name = null;
  #asked = 0;
  #length = STEP;
  #parent = byId("run");
  /** Where the list was left. */
  back = "#/";

  constructor(centre, service) {
    this.#centre = centre;
    this.#service = service;
  }

  get name() {
    return this.#name;
  }

  /** Show this run, or none with null. */
  async go(name) {
    if (name !== this.#name) {
      this.#length = STEP;
      this.#parent.replaceChildren();
      if (name !== null) this.#parent.append(...this.#top(name), el("p", { class: "empty" }, "loading"));
    }
    this.#name = name;
    if (name !== null) await this.load();
  }

  /** Ask for it again; what is shown stays until all of it is there. */
  async load() {
    const [name, asked] = [this.#name, ++this.#asked];
    try {
      const [run, evidence, history] = await Promise.all([
        this.#service.get(runPath(name)),
        this.#service.get(runPath(name, "/evidence")),
        this.#service.get(runPath(name, "/history"), { limit: this.#length }),
      ]);
      if (asked === this.#asked && name === this.#name) this.#draw(run, evidence, history);
    } catch (err) {
      if (asked !== this.#asked || name !== this.#name) return;
      if (!(err instanceof MissingError)) throw err;
      renew(this.#parent, [...this.#top(name), el("p", { class: "empty" }, `${err.message}. `, el("a", { href: "#/" }, "Show all runs"))]);
    }
  }

  #draw(run, evidence, history) {
    const attempts = [...run.attempts].reverse();
    renew(this.#parent, [
      ...this.#top(run.name),
      summary(run),
      why(run),
      ...attempts.map((attempt) => attemptOf(run, attempt)),
      facts(run, evidence),
      this.#history(history),
    ]);
  }

  #top(name) {
    return [
      el("nav", { "aria-label": "Back" }, el("a", { href: this.back, id: "back" }, "‹ All runs")),
      el("h1", { id: "title", tabindex: "-1" }, name),
    ];
  }

  #history({ events, before }) {
    const more = el("button", { type: "button", id: "earlier", class: "more", onclick: () => this.#lengthen() }, "Show earlier");
    return el(
      "section",
      { class: "history", "aria-labelledby": "history" },
      el("h2", { id: "history" }, "History"),
      el("ol", {}, events.map(eventOf)),
      before === null ? null : more,
    );
  }

  #lengthen() {
    this.#length = Math.min(1000, this.#length + 5 * STEP);
    this.load().catch((err) => this.#centre.doubt(err));
  }
}

function summary(run) {
  const newest = run.attempts.at(-1);
  const marks = { ...run, waived: run.waiver !== null || run.waived_rules.length > 0, held: run.held !== null, degraded: newest?.degraded ?? false };
  return el(
    "p",
    { class: "summary" },
    badge(run),
    markList(marks),
    el("span", {}, "since ", moment(run.since, { seconds: false }), " (", ago(run.since), ")"),
    run.instrument ? el("span", {}, "instrument ", run.instrument) : null,
    el("span", {}, "of ", dateOf(run)),
    run.attempt ? el("span", {}, `attempt ${run.attempt}`) : null,
  );
}

function pairs(rows) {
  return el("dl", {}, rows.filter(([, value]) => value).map(([label, value]) => [el("dt", {}, label), el("dd", {}, value)]));
}

function why(run) {
  const told = run.why;
  return el(
    "section",
    { class: "why", "aria-labelledby": "why", "data-group": run.group },
    el("h2", { id: "why" }, "Why, and what now"),
    el("p", { class: "lead" }, said(told.message)),
    run.progress ? progressBar(run.progress) : null,
    pairs([
      ["What to do", told.hint ? toDo(told.hint) : ""],
      ["Is the data safe?", told.data_safe],
      ["How urgent?", told.urgency],
      ["Until when?", told.until && said(told.until)],
      ["Samples", told.samples === null ? "not known" : plain(told.samples)],
      ["Held", run.held ? `${scopeWords(run.held)} by ${run.held.by}: ${run.held.reason}` : ""],
      ["Waived", run.waiver ? `by ${run.waiver.by}, to ignore ${run.waiver.ignore.join(", ") || "nothing named"}: ${run.waiver.reason}` : ""],
      ...run.waived_rules.map((one) => ["Waived", [codeLink(one.rule), ` by ${one.by}: ${one.reason}`]]),
      ["Code", told.code ? codeLink(told.code) : ""],
    ]),
  );
}

export function scopeWords(hold) {
  return { all: "all runs", instrument: `all runs of ${hold.name}`, run: hold.name }[hold.scope] ?? hold.name;
}

const toDo = (hint) => hintParts(hint).map((part, at) => (at % 2 ? [el("code", { class: "command" }, part), copier(part, `copy-${at}`)] : part));

function copier(text, id) {
  if (!navigator.clipboard) return null;
  const copied = async () => {
    await navigator.clipboard.writeText(text);
    byId(id).textContent = "Copied";
    byId("said").textContent = "Copied";
  };
  return el("button", { type: "button", class: "copy", id, onclick: copied }, "Copy");
}

function attemptOf(run, attempt) {
  const noted = ["observed", "degraded", "aborted"].filter((word) => attempt[word]);
  if (attempt.waived_rules.length > 0) noted.push(`goes without ${attempt.waived_rules.map((rule) => `[${rule}]`).join(", ")}`);
  if (attempt.ignore.length > 0) noted.push(`ignores ${attempt.ignore.join(", ")}`);
  const stages = run.stages.filter((stage) => stage.attempt === attempt.attempt);
  const id = `attempt-${attempt.attempt}`;
  const columns = ["Stage", "State", "Begun", "Ended", "Took", "Job"];
  return el(
    "section",
    { class: "attempt", "aria-labelledby": id },
    el("h2", { id }, `Attempt ${attempt.attempt}`, noted.map((word) => el("span", { class: "mark", "data-mark": word }, coded(word)))),
    el("p", { class: "faint" }, "made ", moment(attempt.made)),
    el(
      "table",
      { class: "attempt-stages", role: "table" },
      el("caption", { class: "hidden" }, `Stages of attempt ${attempt.attempt}`),
      el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, columns.map((name) => el("th", { scope: "col", role: "columnheader" }, name)))),
      el("tbody", { role: "rowgroup" }, stages.flatMap((stage) => stageRows(stage, attempt.made, columns.length))),
    ),
  );
}

function stageRows(stage, made, columns) {
  const cell = (label, ...children) => el("td", { "data-label": label, role: "cell" }, ...children);
  const begun = stage.begun ?? (stage.state === "done" && stage.stage === "receive" ? made : null);
  const isHeld = stage.state === "held"; // its time then tells since when
  const ended = moment(stage.ended) ?? "";
  const took = stage.begun && stage.ended && !isHeld ? between(stage.begun, stage.ended) : "";
  const job = stage.job_id === null ? "" : `${stage.service}/${stage.job_id}`;
  const tried = stage.try > 1 ? el("span", { class: "faint" }, ` try ${stage.try}`) : null;
  const waits = stage.state === "waiting" && stage.ready === null && stage.after.length > 0;
  const rows = [
    el(
      "tr",
      { "data-stage": stage.stage, role: "row" },
      el("th", { scope: "row", role: "rowheader" }, stage.stage, tried),
      cell("State", el("ol", { class: "stages" }, el("li", { class: "stage", "data-state": stage.state }, stateWord(stage.state)))),
      cell("Begun", moment(begun) ?? el("span", { class: "faint" }, waits ? `after ${stage.after.join(", ")}` : "")),
      isHeld ? cell("Held", "held since ", ended) : cell("Ended", ended),
      cell("Took", elapsed(stage) ?? took),
      cell("Job", job, stage.progress ? el("div", {}, jobBar(stage.progress, { full: true })) : null),
    ),
  ];
  if (stage.message || (stage.code && stage.state !== "skipped")) {
    rows.push(
      el("tr", { class: "said", role: "row" }, el("td", { colspan: columns, role: "cell" },
        said(stage.message ?? ""), " ", stage.code ? codeLink(stage.code) : null,
        stage.hint ? el("span", { class: "faint" }, ` ${stage.hint}`) : null)),
    );
  }
  return rows;
}

function facts(run, { evidence, message, verdict, since }) {
  const { rows, times } = evidenceWords(evidence);
  const problems = evidence.problems ?? [];
  const count = evidence.problem_count ?? problems.length;
  const list = el("ul", {}, problems.slice(0, PROBLEMS).map((problem) => el("li", {}, problem)));
  const hidden = count - Math.min(PROBLEMS, problems.length);
  return el(
    "section",
    { class: "facts", "aria-labelledby": "evidence" },
    el("h2", { id: "evidence" }, "Evidence"),
    el("p", { class: "lead" }, verdict.replaceAll("_", " "), message && !run.why.message.includes(message) ? `: ${message}` : ""),
    pairs([
      ["Judged so since", moment(since)],
      ...rows,
      ...metricsWords(run.metrics),
      ...times.map(([label, time]) => [label, moment(time)]),
      ["First seen", moment(run.first_seen)],
      ["Adopted", run.adopted ? "yes" : `no: it was ${run.observed ? "only observed" : "there at the first scan"}`],
      ["Folder", el("code", {}, run.path)],
      ...Object.entries(run.metadata).map(([key, value]) => [capital(key.replaceAll("_", " ")), plain(value)]),
    ]),
    count > 0
      ? el("details", { id: "problems" }, el("summary", {}, `${plain(count)} ${count === 1 ? "file is" : "files are"} missing or not whole`), list,
          hidden > 0 ? el("p", { class: "faint" }, `and ${plain(hidden)} more`) : null)
      : null,
  );
}

function eventOf(event) {
  const { what, rest } = eventWords(event);
  const attempt = event.attempt && event.stage ? ` (attempt ${event.attempt})` : "";
  return el(
    "li",
    {},
    moment(event.time),
    el("span", { class: "what" }, what, attempt ? el("span", { class: "faint" }, attempt) : null),
    el("span", { class: "faint" }, coded([`by ${event.who}`, rest].filter(Boolean).join("; "))),
  );
}
