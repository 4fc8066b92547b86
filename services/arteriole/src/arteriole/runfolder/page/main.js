// Puts the page together: who looks, what is looked at, and whether it is live.

import { Centre } from "/static/centre.js";
import { CodePage } from "/static/code.js";
import { Detail, scopeWords } from "/static/detail.js";
import { byId, el, renew } from "/static/elements.js";
import { List } from "/static/list.js";
import { ago, keepTime, moment } from "/static/parts.js";
import { listHash, placeOf, runHash } from "/static/places.js";
import { codeLink } from "/static/runbook.js";
import { Service } from "/static/service.js";
import { clock } from "/static/times.js";
import { capital, hintParts } from "/static/words.js";

/** So many changes are said aloud at once. */
const SAID = 3;

const service = new Service();
const centre = new Centre(service);
const list = new List(centre, (place) => {
  detail.back = listHash(place);
  history.replaceState(history.state, "", detail.back);
  list.go(place);
});
const detail = new Detail(centre, service);
const codePage = new CodePage(service);
let scrolled = 0;
let left = 0; // how far the list or the run was scrolled from which a code's page was opened
let standing = null; // by path, as it was last said

function route() {
  const place = placeOf(location.hash);
  const from = codePage.code;
  if (place.code !== undefined) {
    if (from === null) left = scrollY;
    openCode(place.code);
    return;
  }
  showCode(null);
  const isRun = place.run !== undefined;
  const wasList = !byId("list").hidden;
  if (isRun && wasList) scrolled = scrollY;
  const last = detail.name;
  show(isRun ? "run" : "list");
  showRun(isRun ? place.run : null);
  if (!isRun) {
    detail.back = listHash(place);
    list.go(place);
    if (last !== null) {
      scrollTo(0, scrolled);
      list.focus(last);
    }
  } else if (last !== place.run) {
    scrollTo(0, 0);
    byId("title")?.focus({ preventScroll: true });
  }
  if (from !== null && last === (place.run ?? null)) {
    scrollTo(0, left);
    byId(isRun ? "run" : "list").querySelector(`[href="#/code/${from}"]`)?.focus({ preventScroll: true });
  }
  title();
}

/** What the runbook says of a code; the list or the run stays as it is behind it. */
function openCode(code) {
  show("code");
  showCode(code);
  scrollTo(0, 0);
  byId("code-title").focus({ preventScroll: true });
  title();
}

function show(id) {
  for (const part of ["login", "list", "run", "code"]) byId(part).hidden = part !== id;
}

function showCode(code) {
  const back = detail.name === null ? detail.back : runHash(detail.name);
  codePage.go(code, back).catch((err) => centre.doubt(err));
}

function showRun(name) {
  detail.go(name).catch((err) => centre.doubt(err));
}

function title() {
  const need = [...centre.runs.values()].filter((run) => run.group === "person").length;
  const count = centre.live === "live" && need > 0 ? `(${need}) ` : "";
  const shown = codePage.code ?? detail.name;
  document.title = `${count}${shown === null ? "" : `${shown} – `}Arteriole`;
}

function live() {
  const shown = byId("live");
  if (shown.dataset.live === "lost" && centre.live === "live") {
    showRun(detail.name);
    showCode(codePage.code);
  }
  shown.dataset.live = centre.live;
  const since = centre.heard === null ? "" : ` since ${clock(centre.heard)}`;
  shown.textContent = { waiting: "connecting", live: "live", lost: `not live${since}` }[centre.live];
  document.body.toggleAttribute("data-stale", centre.live === "lost");
  notices();
  title();
}

function notice(tone, ...children) {
  return el("p", { class: "notice", "data-tone": tone }, ...children);
}

function notices() {
  const { health } = centre;
  const shown = [];
  if (centre.live === "lost") {
    const then = centre.heard === null ? "Nothing can be shown yet" : `Not live since ${clock(centre.heard)}; what is shown is of then`;
    const again = el("button", { type: "button", id: "again", onclick: () => centre.retry() }, "Try now");
    shown.push(el("div", { class: "notice", role: "alert", "data-tone": "bad", id: "lost" }, el("span", {}, el("strong", {}, then), `: ${centre.trouble}. It is tried again by itself. `), again));
  }
  for (const [path, reason] of Object.entries(health.unreachable_directories ?? {})) {
    shown.push(notice("bad", el("strong", {}, "A monitored directory cannot be read: "), el("code", {}, path), ` (${reason}). Nothing new is seen there.`));
  }
  for (const note of health.notes ?? []) shown.push(notice("calm", note));
  if (health.trouble) shown.push(notice("bad", el("strong", {}, "The last look at the directories failed: "), health.trouble));
  if (health.silence) {
    const { message, hint, code } = health.silence;
    const heard = health.sensor_heartbeat ? [", last heard ", ago(health.sensor_heartbeat), " ago (", moment(health.sensor_heartbeat), ")"] : [];
    const parts = hintParts(hint).map((part, at) => (at % 2 ? el("code", {}, part) : part));
    shown.push(notice("bad", el("strong", {}, capital(message)), ...heard, "; ", parts, " (", codeLink(code), ")"));
  }
  for (const [name, volume] of Object.entries(health.volumes ?? {})) {
    if (volume.level === "enough") continue;
    const critical = volume.level === "critical";
    const what = critical ? "Too little space, no conversion begins: " : "A volume fills up: ";
    shown.push(notice(critical ? "bad" : "warn", el("strong", {}, what), el("code", {}, name), ` (${Object.values(volume.roots).join(", ")}): ${volume.words} (`, codeLink(`disk.${volume.level}`), ")"));
  }
  for (const [name, reason] of Object.entries(health.volumes_unknown ?? {})) {
    shown.push(notice("warn", el("strong", {}, "What is free is not known: "), el("code", {}, name), ` (${reason})`));
  }
  for (const hold of centre.holds) {
    const stops = hold.scope === "run" ? ": " : ": no stage of them begins. ";
    shown.push(notice("warn", el("strong", {}, `Held: ${scopeWords(hold)}`), stops, `${hold.by}, `, moment(hold.since, { seconds: false }), `: ${hold.reason}`, hold.code ? [" (", codeLink(hold.code), ")"] : null));
  }
  if (centre.mode === "observe") {
    shown.push(notice("calm", el("strong", {}, "It only observes: "), "what would be done is worked out, and nothing is done, until the mode is ", el("code", {}, "act"), "."));
  }
  byId("mode").hidden = centre.mode !== "observe";
  renew(byId("notices"), shown);
}

/** Say how runs stand that stand otherwise than before, to those who hear the page. */
function say() {
  const now = new Map([...centre.runs.values()].map((run) => [run.path, [run.name, run.standing]]));
  const changed = standing === null ? [] : [...now].filter(([path, [, word]]) => standing.get(path)?.[1] !== word);
  if (changed.length > 0) {
    const said = changed.slice(0, SAID).map(([, [name, word]]) => `${name}: ${word}`);
    if (changed.length > SAID) said.push(`and ${changed.length - SAID} more`);
    byId("said").textContent = said.join("; ");
  }
  standing = centre.loaded ? now : null;
}

function refused(message) {
  const had = service.token !== "";
  service.forget();
  centre.end();
  showRun(null);
  showCode(null);
  show("login");
  byId("forget").hidden = true;
  byId("live").hidden = true;
  byId("refusal").textContent = had ? `The token was refused: ${message}.` : "";
  byId("token").value = "";
  byId("token").focus();
}

function enter() {
  byId("forget").hidden = service.token === "";
  byId("live").hidden = false;
  route();
  centre.run();
}

centre.addEventListener("change", ({ detail: names }) => {
  if (byId("login").hidden) list.draw();
  if (detail.name !== null && centre.loaded && (names === null || names.has(detail.name))) showRun(detail.name);
  say();
  notices();
  title();
});
centre.addEventListener("live", live);
centre.addEventListener("refused", ({ detail: message }) => refused(message));
addEventListener("hashchange", () => {
  if (byId("login").hidden) route();
});
byId("login").addEventListener("submit", (event) => {
  event.preventDefault();
  const token = byId("token").value.trim();
  if (!/^[\x21-\x7e]+$/.test(token)) {
    byId("refusal").textContent = "That is no token: one has letters, digits, - and _ only.";
    return;
  }
  byId("refusal").textContent = "";
  service.keep(token, byId("keep").checked);
  enter();
});
byId("forget").addEventListener("click", () => {
  service.forget();
  refused("");
});
addEventListener("keydown", (event) => {
  const typing = event.target instanceof HTMLInputElement;
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey && !byId("list").hidden) {
    event.preventDefault();
    byId("search").focus();
  }
});
setInterval(keepTime, 1000);
enter();
