// Pieces that the list and a run's own page share.

import { el, unseen } from "/static/elements.js";
import { coded } from "/static/runbook.js";
import { age, local, utc } from "/static/times.js";
import { isKnown, marks, progressText, runningFor, stateWord, tone } from "/static/words.js";

/** A time of here, with UTC's as its title. */
export function moment(time, { seconds = true } = {}) {
  if (!time) return null;
  return el("time", { datetime: time, title: utc(time) }, local(time, { seconds }));
}

const ISO = /(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z)/;

/** A service's words, their times as those of here, their codes as links. */
export const said = (text) => text.split(ISO).map((part, at) => (at % 2 ? moment(part, { seconds: part.length > 17 }) : coded(part)));

/** How long ago; kept up to date by `keepTime`. */
export function ago(time) {
  return el("time", { datetime: time, title: `${local(time)} here, ${utc(time)}`, "data-age": true }, age(time));
}

export function badge(run) {
  return el("span", { class: "badge", "data-tone": tone(run) }, run.standing);
}

export const markList = (run) =>
  marks(run).map((mark) => el("span", { class: "mark", "data-mark": mark }, mark));

/** A stage as a small labelled state: a sign, its name, and the state for those who hear it. */
export function stageChip(stage) {
  const running = runningFor(stage);
  const word = stateWord(stage.state);
  const told = running ? `${word} for ${running.text}` : word;
  return el(
    "li",
    { class: "stage", "data-state": stage.state, "data-past": running?.past, title: `${stage.stage}: ${told}` },
    stage.stage,
    isKnown(stage.state) ? unseen(`: ${word}`) : `: ${word}`,
  );
}

/** A bar and its words. */
export function bar(value, max, text, { past = false } = {}) {
  return el(
    "span",
    { class: "bar", "data-past": past },
    el("progress", { value: Math.min(value, max), max, "aria-label": text }),
    el("span", {}, text),
  );
}

export const progressBar = ({ done, total, unit }) => bar(done, total, progressText({ done, total, unit }));

/** How far a job was when that was last told: its percentage, with the rest as its title; or in full. */
export function jobBar(progress, { full = false } = {}) {
  const { done, total, percent, at, ends } = progress;
  const told = local(at, { seconds: false });
  const text = `${progressText(progress)} (${percent} %)`;
  const end = ends ? `, until about ${local(ends, { seconds: false })}` : "";
  const shown = bar(done, total, full ? `${text} at ${told.slice(11)}${end}` : `${percent} %`);
  shown.setAttribute("title", `${text}, as of ${told} here, ${utc(at)}${end}`);
  return shown;
}

/** How far a running stage is: its job's progress, or its time where that tells nothing or is over. */
export function advance(stage) {
  return stage.progress && !runningFor(stage)?.past ? jobBar(stage.progress) : elapsed(stage);
}

/** The elapsed time of a running stage beside its limit; kept up to date by `keepTime`. */
export function elapsed(stage) {
  const running = runningFor(stage);
  if (running === null) return null;
  const shown = bar(running.seconds, running.limit, running.text, running);
  shown.setAttribute("data-begun", stage.begun);
  shown.setAttribute("data-limit", stage.time_limit);
  return shown;
}

/** Let what tells of passing time go on, as far as it is shown. */
export function keepTime() {
  for (const time of document.querySelectorAll("time[data-age]")) {
    const text = age(time.dateTime);
    if (time.textContent !== text) time.textContent = text;
  }
  for (const shown of document.querySelectorAll(".bar[data-begun]")) {
    const stage = { state: "running", begun: shown.dataset.begun, time_limit: Number(shown.dataset.limit) };
    const { seconds, limit, past, text } = runningFor(stage);
    if (shown.lastChild.textContent === text) continue;
    shown.toggleAttribute("data-past", past);
    shown.firstChild.value = Math.min(seconds, limit);
    shown.firstChild.setAttribute("aria-label", text);
    shown.lastChild.textContent = text;
  }
}
