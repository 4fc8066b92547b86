// The list: every run, those that need a person first.

import { byId, el, fill, renew } from "/static/elements.js";
import { advance, ago, badge, markList, moment, progressBar, said, stageChip } from "/static/parts.js";
import { runHash } from "/static/places.js";
import { GROUPS, dateOf, heldWords, hintParts } from "/static/words.js";

/** Rows at first, and with each further step. */
const STEP = 100;
/** Milliseconds after the last letter typed. */
const TYPING = 80;

const COLUMNS = ["Run", "State", "Stages", "Since", "What now"];
const NOTHING = {
  person: "Nothing needs a person.",
  underway: "Nothing is under way.",
  rest: "No run is at rest.",
};

export class List {
  #centre;
  #rows = new Map(); // by path: {text: what it was made of, row, found: what a search looks at}
  #limit = STEP;
  #place = { show: "all", state: "", search: "" };
  #moved;
  #bodies = {};
  #table;
  #more = el("button", { type: "button", class: "more", onclick: () => this.#extend() });
  #none = el("p", { class: "empty" });
  #near;

  /** `moved(place)` is told when another filter or search is asked for. */
  constructor(centre, moved) {
    this.#centre = centre;
    this.#moved = moved;
    this.#table = el(
      "table",
      { class: "runs", role: "table" },
      el("caption", { class: "hidden" }, "Runs, those that need a person first"),
      el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, COLUMNS.map((name) => el("th", { scope: "col", role: "columnheader" }, name)))),
    );
    for (const group of Object.keys(GROUPS)) this.#bodies[group] = el("tbody", { "data-group": group, role: "rowgroup" });
    byId("runs").append(this.#none, this.#table, this.#more);
    this.#near = new IntersectionObserver((seen) => {
      if (seen.some((entry) => entry.isIntersecting)) this.#extend();
    }, { rootMargin: "600px" });
    this.#near.observe(this.#more);
    byId("state").addEventListener("change", (event) => this.#ask({ state: event.target.value }));
    let typing = 0;
    byId("search").addEventListener("input", (event) => {
      clearTimeout(typing);
      typing = setTimeout(() => this.#ask({ search: event.target.value }), TYPING);
    });
  }

  /** Show what this place of the page asks for: `{show, state, search}`. */
  go(place) {
    if (JSON.stringify(place) !== JSON.stringify(this.#place)) this.#limit = STEP;
    this.#place = place;
    const search = byId("search");
    if (search.value !== place.search && document.activeElement !== search) search.value = place.search;
    this.draw();
  }

  /** Put the focus on a run's link, if it is shown; a row that was made anew has lost it. */
  focus(name) {
    this.#table.querySelector(`tr[data-run="${CSS.escape(name)}"] a`)?.focus({ preventScroll: true });
  }

  #ask(change) {
    this.#moved({ ...this.#place, ...change });
  }

  #extend() {
    this.#limit += STEP;
    this.draw();
  }

  draw() {
    const groups = this.#grouped();
    const words = this.#place.search.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = Object.keys(GROUPS).filter((group) => ["all", group].includes(this.#place.show));
    const focused = document.activeElement?.closest("tr[data-run]")?.dataset.run;
    let left = this.#limit;
    let matching = 0;
    const bodies = [];
    for (const group of chosen) {
      const found = groups[group].filter((run) => this.#isWanted(run, words));
      matching += found.length;
      const rows = found.slice(0, left).map((run) => this.#drawn(run));
      left -= rows.length;
      if (rows.length === 0) continue;
      fill(this.#bodies[group], [this.#heading(group, found.length), ...rows]);
      bodies.push(this.#bodies[group]);
    }
    fill(this.#table, [this.#table.caption, this.#table.tHead, ...bodies]);
    if (focused !== undefined) this.focus(focused);
    this.#tellRest(matching);
    this.#tellGroups(groups);
    this.#tellStates();
  }

  #isWanted(run, words) {
    const { state } = this.#place;
    if (state && run.standing !== state) return false;
    return words.every((word) => this.#row(run).found.includes(word));
  }

  /** The runs by group, the newest change first; those in trouble the longest first. */
  #grouped() {
    const groups = Object.fromEntries(Object.keys(GROUPS).map((group) => [group, []]));
    for (const run of this.#centre.runs.values()) groups[run.group].push(run);
    const risk = (run) => (run.why.urgency === "instrument at risk" ? 0 : 1);
    groups.person.sort((a, b) => risk(a) - risk(b) || compare(a.since, b.since));
    for (const group of ["underway", "rest"]) groups[group].sort((a, b) => compare(b.since, a.since));
    for (const path of this.#rows.keys()) if (!this.#centre.runs.has(path)) this.#rows.delete(path);
    return groups;
  }

  #row(run) {
    const known = this.#rows.get(run.path);
    if (known?.run === run) return known;
    const text = JSON.stringify(run);
    if (known?.text === text) {
      known.run = run;
      return known;
    }
    const stages = run.stages.map((stage) => `${stage.stage}:${stage.state}`);
    const found = [run.name, run.instrument, run.state, run.standing, run.why.message, run.why.code, dateOf(run), ...markWords(run), ...stages]
      .join("\n")
      .toLowerCase();
    const made = { run, text, found, row: null };
    this.#rows.set(run.path, made);
    return made;
  }

  #drawn(run) {
    const entry = this.#row(run);
    entry.row ??= rowOf(run, this.#isAnothers(run));
    return entry.row;
  }

  /** A refused folder whose name another run has: that name leads to the other. */
  #isAnothers(run) {
    if (run.verdict !== "refused") return false;
    return [...this.#centre.runs.values()].some((other) => other.name === run.name && other.path !== run.path);
  }

  #heading(group, count) {
    const made = this.#bodies[group].firstChild ?? el("tr", { class: "group", role: "row" }, el("th", { scope: "rowgroup", colspan: COLUMNS.length, role: "rowheader" }));
    const text = `${GROUPS[group]} (${count})`;
    if (made.firstChild.textContent !== text) made.firstChild.textContent = text;
    return made;
  }

  #tellRest(matching) {
    const all = this.#centre.runs.size;
    const shown = Math.min(this.#limit, matching);
    this.#more.hidden = shown === matching;
    this.#more.textContent = `Show more (${matching - shown} left)`;
    this.#table.hidden = matching === 0;
    this.#none.hidden = matching > 0 || !this.#centre.loaded;
    this.#none.replaceChildren(...(all === 0 ? noRunYet() : this.#noMatch()));
    const count = matching === all ? `${all} ${all === 1 ? "run" : "runs"}` : `${matching} of ${all} runs`;
    if (byId("count").textContent !== count) byId("count").textContent = count;
  }

  #noMatch() {
    const { show, state, search } = this.#place;
    if (!search.trim() && !state) return [NOTHING[show] ?? ""];
    const asked = [state, search.trim() && `“${search.trim()}”`].filter(Boolean).join(" and ");
    return [`No run matches ${asked} here. `, el("a", { href: "#/" }, "Show all runs")];
  }

  /** The states that there are, and the one that is asked for. */
  #tellStates() {
    const counts = new Map(this.#place.state ? [[this.#place.state, 0]] : []);
    for (const { standing } of this.#centre.runs.values()) counts.set(standing, (counts.get(standing) ?? 0) + 1);
    const options = [...counts].sort().map(([state, count]) => el("option", { value: state }, `${state} (${count})`));
    const select = byId("state");
    renew(select, [el("option", { value: "" }, "any state"), ...options]);
    select.value = this.#place.state;
  }

  #tellGroups(groups) {
    const buttons = [["all", "All", this.#centre.runs.size], ...Object.entries(GROUPS).map(([group, name]) => [group, name, groups[group].length])];
    const parent = byId("shows");
    buttons.forEach(([show, name, count], index) => {
      const button = parent.children[index] ?? parent.appendChild(
        el("button", { type: "button", "data-show": show, onclick: () => this.#ask({ show }) }, `${name} `, el("span", { class: "number" })),
      );
      button.setAttribute("aria-pressed", String(show === this.#place.show));
      button.lastChild.textContent = String(count);
    });
  }
}

const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const markWords = (run) => ["held", "degraded", "waived", "observed"].filter((mark) => run[mark]);

function rowOf(run, isAnothers) {
  const name = isAnothers ? el("span", {}, run.name) : el("a", { href: runHash(run.name) }, run.name);
  const cell = (label, ...children) => el("td", { "data-label": label, role: "cell" }, ...children);
  return el(
    "tr",
    { "data-run": run.name, role: "row" },
    el(
      "th",
      { scope: "row", role: "rowheader" },
      name,
      el("span", { class: "faint" }, run.instrument ? `${run.instrument}, ` : "", el("time", {}, dateOf(run))),
    ),
    cell("State", badge(run), markList(run)),
    cell("Stages", ...stagesOf(run)),
    cell("Since", ago(run.since), el("span", { class: "faint" }, moment(run.since, { seconds: false }))),
    cell("What now", ...whatNow(run)),
  );
}

function stagesOf(run) {
  if (run.stages.length > 0) {
    return [el("ol", { class: "stages", "aria-label": `Stages of attempt ${run.attempt}` }, run.stages.map(stageChip))];
  }
  return run.progress ? [progressBar(run.progress)] : [el("span", { class: "faint" }, "none yet")];
}

function whatNow(run) {
  const parts = [];
  const running = run.stages.filter((stage) => stage.state === "running");
  if (run.why.code === "" && running.length > 0) {
    const held = run.stages.filter((stage) => stage.state === "held");
    for (const { stage } of held) parts.push(el("p", { class: "message" }, heldWords(stage)));
    for (const stage of running) parts.push(el("p", { class: "running" }, `${stage.stage} `, advance(stage)));
  } else {
    parts.push(el("p", { class: "message", title: run.why.message }, el("span", {}, said(run.why.message))));
  }
  if (run.why.hint && run.group === "person") {
    const hint = hintParts(run.why.hint).map((part, at) => (at % 2 ? el("code", {}, part) : part));
    parts.push(el("p", { class: "hint" }, hint));
  }
  return parts;
}

function noRunYet() {
  return [
    el("strong", {}, "No run was seen yet."),
    " A run folder that appears in one of the monitored directories is shown here within seconds. Is one missing? Look whether its directory is named under ",
    el("code", {}, "runfolder.monitored_directories"),
    " in ",
    el("code", {}, "arteriole.yaml"),
    ", and try ",
    el("code", {}, "arteriole inspect FOLDER"),
    ".",
  ];
}
