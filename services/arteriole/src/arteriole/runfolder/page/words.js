// What states, runs and events are called for a person.

import { duration, secondsSince } from "/static/times.js";

/** Groups of runs, in the order in which they are shown. */
export const GROUPS = {
  person: "Needs a person",
  underway: "Under way",
  rest: "At rest",
};

/** The tone of a run's badge: bad, warn, busy, good or calm. */
export function tone(run) {
  if (run.state === "error") return "bad";
  if (run.group === "person") return run.why.urgency === "instrument at risk" ? "bad" : "warn";
  if (run.state === "done") return "good";
  return run.group === "underway" ? "busy" : "calm";
}

/** A state as a person says it; any other is said as it is. */
const STATES = {
  waiting: "waiting",
  running: "running",
  held: "held",
  done: "done",
  failed: "failed",
  skipped: "skipped",
};
export const stateWord = (state) => STATES[state] ?? String(state).replaceAll("_", " ");
export const isKnown = (state) => Object.hasOwn(STATES, state);

/** A stage that cannot go on by itself. */
export const heldWords = (stage) => `${stage} is held: it waits for something from outside`;

/** What is unusual about a run or its newest attempt. */
export function marks(run) {
  const waived = run.waived && run.attempt === 0;
  const found = { held: run.held, degraded: run.degraded, waived, observed: run.observed };
  return Object.keys(found).filter((mark) => found[mark] && mark !== run.standing);
}

/** How long a running stage has run, and what it may take; null for any other. */
export function runningFor(stage) {
  if (stage.state !== "running" || !stage.begun) return null;
  const seconds = secondsSince(stage.begun);
  const limit = stage.time_limit;
  const past = seconds > limit ? ", which is past its limit" : "";
  return { seconds, limit, past: past !== "", text: `${duration(seconds)} of ${duration(limit)}${past}` };
}

/** The date in a run's name (`200624_...`, `20231108_...`); that of its first sight if it has none. */
export function dateOf(run) {
  const [, century = "20", year, month, day] = /^(20)?(\d\d)(\d\d)(\d\d)_/.exec(run.name) ?? [];
  const isDate = month >= "01" && month <= "12" && day >= "01" && day <= "31";
  return isDate ? `${century}${year}-${month}-${day}` : run.first_seen.slice(0, 10);
}

const SIZES = ["bytes", "kB", "MB", "GB", "TB", "PB"];

/** "3.2 of 7.5 GB". */
function bytesText(done, total) {
  let step = 0;
  while (step + 1 < SIZES.length && total >= 1000 ** (step + 1)) step += 1;
  const size = (count) => (step ? (count / 1000 ** step).toFixed(1) : String(count));
  return `${size(done)} of ${size(total)} ${SIZES[step]}`;
}

const number = (count) => count.toLocaleString("en").replaceAll(",", "\u202f");

export function progressText({ done, total, unit }) {
  if (unit === "bytes") return bytesText(done, total);
  return unit === "cycles" ? `cycle ${number(done)} of ${number(total)}` : `${number(done)} of ${number(total)} ${unit}`;
}

// A command ends where its own words do: names, options, and the values of those that take one.
const COMMAND =
  /(arteriole (?:(?:config|metadata|observe|policy|samplesheet|token) )?[a-z-]*[a-z](?: --(?:from|ignore|instrument|part|reason|rule|state) (?:"[^"]*"|[\w./-]*\w)| --[a-z-]*[a-z]| (?=[a-z-]*[A-Z\d_/])[\w./-]*\w)*|st2 (?:[a-z]+ list|execution get [\w-]+|run [a-z_.]+(?: \w+=[\w./-]*\w)*)|rsync -a .+?(?= ;|$))/;

/** A hint as text and commands by turns: what is at an odd place is a command to give. */
export const hintParts = (hint) => hint.split(COMMAND).map((part) => part.replace(/^ ;/, ";"));

const EVENTS = {
  run_seen: () => "seen for the first time",
  verdict: (p) => `judged: ${String(p.verdict).replaceAll("_", " ")}`,
  run_ready: () => "ready to be worked on",
  claimed: (p, e) => `attempt ${e.attempt} begun`,
  stage_ready: (p, e) => `${e.stage} may begin`,
  stage_begun: (p, e) => `${e.stage} begun`,
  job_attached: (p, e) => `${e.stage} is done by job ${p.service}/${p.job_id}`,
  stage_ended: (p, e) => (p.state === "held" ? heldWords(e.stage) : `${e.stage} ended: ${stateWord(p.state)}`),
  stage_released: (p, e) => `${e.stage} given back`,
  stage_accepted: (p, e) => `${e.stage} accepted as it is`,
  stage_retried: (p, e) => `${e.stage} to be tried again`,
  run_done: (p, e) => `all stages of attempt ${e.attempt} done`,
  run_observed: (p, e) => `attempt ${e.attempt} worked out; nothing was done`,
  run_error: () => "in error",
  run_started: () => "sequencing has begun",
  run_copied: () => "all of it is here",
  indexes_read: () => "its index reads are over",
  comparison_begun: (p) => `its indexes are compared with its sheet by job ${p.service}/${p.job_id}`,
  comparison_judged: () => "the comparison of its indexes is judged",
  run_failed: () => "failed: an alert",
  run_stuck: () => "stands still: an alert",
  run_unreachable: () => "out of reach: an alert",
  redo: (p, e) => `to be done again from ${e.stage} on`,
  adopted: () => "adopted",
  waived: () => "waived",
  unwaived: () => "waiver withdrawn",
  rules_waived: () => "waived for its sheet",
  rules_unwaived: () => "waiver of its sheet withdrawn",
  aborted: () => "aborted",
  held: () => "held",
  hold_released: () => "hold ended",
  finding_released: () => "not held for it any more",
  arteria_state: (p) => `state set to ${p.state}`,
};
/** Of a payload: told by the words themselves, or of no use to a person. */
const TOLD = ["verdict", "state", "service", "job_id", "scope", "name", "truncated", "adopted"];

const NAMES = { by: "execution", waived_by: "waived by" };
/** Of a payload: codes of the runbook. */
const CODES = ["code", "rules"];
const bracketed = (codes) => [codes].flat().map((code) => `[${code}]`).join(", ");

/** What happened, and its particulars. */
export function eventWords(event) {
  const say = Object.hasOwn(EVENTS, event.what) ? EVENTS[event.what] : null;
  const rest = Object.entries(event.payload)
    .filter(([key, value]) => !(say && TOLD.includes(key)) && isTelling(value) && !(key === "try" && value === 1))
    .map(([key, value]) => `${NAMES[key] ?? key.replaceAll("_", " ")} ${CODES.includes(key) ? bracketed(value) : plain(value)}`);
  return { what: say ? say(event.payload, event) : event.what.replaceAll("_", " "), rest: rest.join(", ") };
}

const isTelling = (value) =>
  value !== null && value !== "" && value !== false && !(Array.isArray(value) && value.length === 0);

/** Any value as one line of text. */
export function plain(value) {
  if (value === true) return "yes";
  if (value === false) return "no";
  if (Array.isArray(value)) return value.map(plain).join(", ");
  if (value !== null && typeof value === "object") {
    return Object.entries(value).filter(([, one]) => isTelling(one)).map(([key, one]) => `${key} ${plain(one)}`).join(", ");
  }
  return typeof value === "number" && Number.isInteger(value) ? number(value) : String(value ?? "");
}

/** What the instrument measured, as [question, answer]. */
export function metricsWords(metrics) {
  if (!metrics) return [];
  if (metrics.error) return [["Measured", metrics.error]];
  const rows = [["Last cycle measured", plain(metrics.cycle)]];
  for (const lane of metrics.lanes) {
    const quality = lane.yield_gigabases ? `${lane.percent_q30} % at Q30 or better` : "no qualities";
    rows.push([
      `Lane ${lane.lane}`,
      `${plain(lane.clusters_pf)} clusters passed the filter (${lane.percent_pf} %), ${plain(Math.round(lane.density / 1000))} thousand a mm², ${quality}`,
    ]);
  }
  return rows;
}

/** Of evidence: told elsewhere, or of no use to a person. */
const UNTOLD = ["quiet_since", "cycle_since", "ends", "fingerprint", "surface", "indexes_read", "problems", "problem_count"];

export const capital = (words) => words.charAt(0).toUpperCase() + words.slice(1);

/** Evidence as [question, answer]; what has no words yet keeps its own. */
export function evidenceWords(evidence) {
  const found = { ...evidence };
  const rows = [];
  const row = (label, keys, value) => {
    const given = keys.some((key) => found[key] !== undefined);
    if (given) {
      const answer = value(found);
      if (answer) rows.push([label, answer]);
    }
    for (const key of keys) delete found[key];
  };
  row("Cycles", ["cycles_seen", "cycles"], (f) => `${plain(f.cycles_seen)} of ${plain(f.cycles)}`);
  row("Files", ["files_found", "files_expected"], (f) =>
    f.files_found === f.files_expected
      ? `all ${plain(f.files_expected)} are there and whole`
      : `${plain(f.files_found)} of ${plain(f.files_expected)} are there and whole`);
  row("Marker", ["markers", "expected_markers"], (f) =>
    f.markers?.length ? `${f.markers.join(" and ")} ${f.markers.length === 1 ? "is" : "are"} there` : `${(f.expected_markers ?? []).join(" or ")} is not there yet`);
  row("Samples", ["samples"], (f) => `${plain(f.samples)} in the sheet`);
  row("Instrument", ["instrument", "instrument_type", "run_number", "side"], (f) =>
    [f.instrument, f.instrument_type?.name, f.run_number !== undefined && `run ${f.run_number}`, f.side && `side ${f.side}`].filter(Boolean).join(", "));
  row("Flow cell", ["flowcell"], (f) => f.flowcell);
  row("Instrument says", ["run_status"], (f) => [f.run_status.status, f.run_status.detail].filter(Boolean).join(": "));
  row("A waiver needs", ["waiver"], (f) => plain(f.waiver));
  row("Superseded by", ["superseded_by"], (f) => f.superseded_by);
  row("Before that", ["before"], (f) => `${f.before.verdict.replaceAll("_", " ")}: ${f.before.message}`);
  row("A cycle takes", ["cycle_seconds"], (f) => f.cycle_seconds && `${(f.cycle_seconds / 60).toFixed(1)} min`);
  const times = [
    ["No change since", found.quiet_since],
    ["No new cycle since", found.cycle_since],
    ["Ends about", found.ends],
  ];
  for (const key of UNTOLD) delete found[key];
  for (const { question, answer, because } of found.questions ?? []) rows.push([`${capital(question)}?`, `${answer}: ${because}`]);
  delete found.questions;
  for (const [key, value] of Object.entries(found)) rows.push([capital(key.replaceAll("_", " ")), plain(value)]);
  return { rows, times: times.filter(([, time]) => time) };
}
