// A sheet is checked by the service and shown with what was found; nothing of it becomes markup.

import { byId, el } from "/static/elements.js";
import { partsOf } from "/static/runbook.js";

const KEY = "arteriole.token";
/** Bytes of a sheet, as the service takes it. */
const LIMIT = 512 * 1024;
/** Seconds in which an answer must come. */
const PATIENCE = 60;
/** Lines shown before and behind one that is spoken of, and of a sheet that has no finding. */
const AROUND = 2;
const SHOWN = 40;
/** Characters of a line that are shown before and behind the cell that is meant. */
const WIDE = 2000;

let sheet = null; // {name, data: base 64, lines, separator}
let site = { hand_in: false };

class Refusal extends Error {
  constructor(status, body) {
    super(body?.error?.message ?? `the service answers ${status}`);
    this.status = status;
    this.body = body ?? {};
    this.hint = body?.error?.hint ?? "";
  }
}

const token = () => sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY) ?? "";

function forget() {
  sessionStorage.removeItem(KEY);
  localStorage.removeItem(KEY);
}

async function ask(method, path, body) {
  const answer = await fetch(`/api/1.0/${path}`, {
    method,
    body: body === undefined ? undefined : JSON.stringify(body),
    headers: { ...(token() ? { Authorization: `Bearer ${token()}` } : {}), ...(body ? { "Content-Type": "application/json" } : {}) },
    signal: AbortSignal.timeout(PATIENCE * 1000),
    cache: "no-store",
    credentials: "omit",
    redirect: "error",
  }).catch((err) => {
    throw new Error("the service does not answer", { cause: err });
  });
  const told = await answer.json().catch(() => null);
  if (!answer.ok) throw new Refusal(answer.status, told);
  return told;
}

/** Do it, and say what went wrong; a token that is refused is asked for again. */
async function tried(deed) {
  byId("trouble").textContent = "";
  try {
    await deed();
  } catch (err) {
    if (err instanceof Refusal && err.status === 401) refused(err.message);
    else byId("trouble").textContent = err.hint ? `${err.message}; ${err.hint}` : err.message;
  }
}

function refused(message) {
  const had = token() !== "";
  forget();
  byId("work").hidden = true;
  byId("forget").hidden = true;
  byId("login").hidden = false;
  byId("refusal").textContent = had && message ? `The token was refused: ${message}.` : "";
  byId("token").value = "";
  byId("token").focus();
}

async function enter() {
  await tried(async () => {
    site = await ask("GET", "samplesheets");
    byId("login").hidden = true;
    byId("work").hidden = false;
    byId("forget").hidden = token() === "";
  });
}

/** The lines of a sheet as the service counts them; what is no UTF-8 is Windows-1252 there too. */
function linesOf(bytes) {
  const marks = { "255,254": "utf-16le", "254,255": "utf-16be" };
  let text;
  try {
    const coding = marks[bytes.slice(0, 2).join()] ?? "utf-8";
    text = new TextDecoder(coding, { fatal: true }).decode(bytes);
  } catch {
    text = new TextDecoder("windows-1252").decode(bytes);
  }
  return text.split(/\r\n|\r|\n/);
}

function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

async function take(file) {
  sheet = null;
  clear();
  byId("check").disabled = true;
  await tried(async () => {
    if (file.size > LIMIT) throw new Error(`${file.name} is larger than 512 KiB, so it is no sample sheet`);
    const bytes = new Uint8Array(await file.arrayBuffer());
    sheet = { name: file.name, data: base64(bytes), lines: linesOf(bytes), separator: "," };
    byId("check").disabled = false;
    await check();
  });
}

const clear = () => ["verdict", "hand_in", "rest", "sheet", "trouble"].forEach((id) => byId(id).replaceChildren());

/** What the sheet is of, as a request says it. */
function subject() {
  const of = {};
  for (const name of ["run", "flow_cell"]) {
    const value = byId(name).value.trim();
    if (value) of[name] = value;
  }
  return of;
}

async function check() {
  const of = subject();
  clear();
  const found = await ask("POST", "samplesheets/check", { sheet: sheet.data, ...of });
  show(found);
  if (found.ok && site.hand_in && of.flow_cell) offer(of.flow_cell, sheet);
}

function show(found) {
  byId("verdict").replaceChildren(el("p", { "data-ok": String(found.ok) }, verdictOf(found)));
  sheet.separator = separatorOf(found.findings);
  const placed = new Map();
  for (const finding of found.findings) {
    if (finding.line < 1 || finding.line > sheet.lines.length) byId("rest").append(el("li", {}, findingOf(finding)));
    else placed.set(finding.line, [...(placed.get(finding.line) ?? []), finding]);
  }
  if (!found.ok && found.findings.length === 0) byId("rest").append(el("li", {}, findingOf({ ...found, severity: "error", line: 0, column: 0 })));
  byId("sheet").replaceChildren(...shownLines(placed));
}

/** What stands between the cells: a comma, unless one of the findings is that it is not. */
function separatorOf(findings) {
  const told = findings.find((one) => one.code === "sheet.separator");
  if (!told) return ",";
  const count = (mark) => sheet.lines[told.line - 1].split(mark).length;
  return count("\t") > count(";") ? "\t" : ";";
}

function verdictOf(found) {
  const count = (severity) => found.findings.filter((one) => one.severity === severity).length;
  const several = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
  const told = ["error", "warning"].filter((word) => count(word) > 0).map((word) => several(count(word), word));
  const more = found.finding_count - found.findings.length;
  if (more > 0) told.push(several(more, "more finding"));
  const against = found.run ? `checked against ${found.run}` : "checked without its run: its lanes, reads and the lengths of its indexes are not known yet";
  return `${sheet.name}: ${told.join(", ") || (found.ok ? "nothing is wrong with it" : "refused")}; ${against}`;
}

function findingOf(finding) {
  const where = finding.line ? `line ${finding.line}${finding.column ? `, column ${finding.column}` : ""}: ` : "";
  return el(
    "div",
    { class: "finding", "data-severity": finding.severity },
    el("p", {}, el("strong", {}, `${finding.severity}: `), where, finding.message, " ", el("span", { class: "code" }, `[${finding.code}]`)),
    finding.hint ? el("p", { class: "hint" }, `Try: ${finding.hint}`) : null,
    el("details", { ontoggle: (event) => tried(() => tell(event.currentTarget, finding.code)) }, el("summary", {}, "More of it")),
  );
}

/** What the runbook says of a code, below what was opened for it. */
async function tell(opened, code) {
  if (!opened.open || opened.childElementCount > 1) return;
  const { text } = await ask("GET", `runbook/${code}`);
  opened.replaceChildren(opened.firstChild, ...partsOf(text));
}

/** The lines that are spoken of, with what is said of each, and those around them. */
function shownLines(placed) {
  const wanted = new Set();
  for (const line of placed.keys()) {
    for (let near = line - AROUND; near <= line + AROUND; near += 1) wanted.add(near);
  }
  if (placed.size === 0) for (let line = 1; line <= SHOWN; line += 1) wanted.add(line);
  const parts = [];
  let last = 0;
  for (const number of [...wanted].filter((line) => line >= 1 && line <= sheet.lines.length).sort((a, b) => a - b)) {
    if (number > last + 1) parts.push(el("p", { class: "gap" }, "…"));
    parts.push(...lineOf(number, placed.get(number) ?? []));
    last = number;
  }
  if (last < sheet.lines.length) parts.push(el("p", { class: "gap" }, "…"));
  return parts;
}

function lineOf(number, findings) {
  const text = sheet.lines[number - 1];
  const severity = ["error", "warning"].find((word) => findings.some((one) => one.severity === word));
  const columns = new Set(findings.map((one) => one.column).filter((column) => column > 0));
  const line = el(
    "div",
    { class: "line", id: `line-${number}`, "data-severity": severity },
    el("span", { class: "number" }, String(number)),
    el("span", { class: "text" }, marked(text, columns)),
  );
  return [line, ...findings.map(findingOf)];
}

/** The line in pieces, with the cells of these columns marked; an empty one shows where it lacks. */
function marked(text, columns) {
  const pieces = [];
  cells(text).forEach((cell, index) => {
    if (index > 0) pieces.push(sheet.separator);
    const shown = cell.length > WIDE ? `${cell.slice(0, WIDE)}…` : cell;
    pieces.push(columns.has(index + 1) ? el("mark", {}, shown || "␣") : shown);
  });
  const beyond = [...columns].some((column) => column > cells(text).length);
  return beyond ? [...pieces, el("mark", {}, "␣")] : pieces;
}

/** The cells of a line, quotes and all. */
function cells(text) {
  const found = [""];
  let quoted = false;
  for (const char of text) {
    if (char === '"') quoted = !quoted;
    if (char === sheet.separator && !quoted) found.push("");
    else found[found.length - 1] += char;
  }
  return found;
}

function offer(flowCell, which) {
  const button = el("button", { type: "button", id: "deliver", onclick: () => tried(() => deliver(flowCell, which)) }, `Hand it in for ${flowCell}`);
  byId("hand_in").replaceChildren(button);
}

/** Hand it in; another sheet that lies there is replaced only by who says so, knowing which. */
async function deliver(flowCell, which, replace) {
  byId("hand_in").querySelector("button")?.setAttribute("disabled", "");
  try {
    const body = { flow_cell: flowCell, sheet: which.data, ...(replace ? { replace } : {}) };
    const done = await ask("POST", "samplesheets", body);
    const said = done.written ? `${done.file} is handed in` : `${done.file} lies there already, and is the same`;
    const kept = done.kept_as ? `; the earlier one is kept as ${done.kept_as}` : "";
    byId("hand_in").replaceChildren(el("p", { id: "delivered" }, `${said}${kept}. SHA-256 ${done.sha256}`));
  } catch (err) {
    offer(flowCell, which);
    if (!(err instanceof Refusal) || !err.body.sha256) throw err;
    const other = err.body.sha256;
    byId("hand_in").replaceChildren(
      el("p", {}, `Another sheet lies there for ${flowCell}, with the SHA-256 ${other}. It stays beside the new one if you replace it.`),
      el("button", { type: "button", id: "replace", onclick: () => tried(() => deliver(flowCell, which, other)) }, "Replace it by mine"),
    );
  }
}

byId("login").addEventListener("submit", (event) => {
  event.preventDefault();
  const given = byId("token").value.trim();
  if (!/^[\x21-\x7e]+$/.test(given)) {
    byId("refusal").textContent = "That is no token: one has letters, digits, - and _ only.";
    return;
  }
  forget();
  (byId("keep").checked ? localStorage : sessionStorage).setItem(KEY, given);
  enter();
});
byId("forget").addEventListener("click", () => {
  forget();
  refused("");
});
byId("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  if (sheet !== null) tried(check);
});
byId("file").addEventListener("change", (event) => {
  const [file] = event.target.files;
  if (file) take(file);
});
for (const name of ["dragover", "dragleave", "drop"]) {
  byId("drop").addEventListener(name, (event) => {
    event.preventDefault();
    byId("drop").classList.toggle("over", name === "dragover");
    const file = name === "drop" ? event.dataTransfer.files[0] : undefined;
    if (file) take(file);
  });
}
for (const name of ["run", "flow_cell"]) byId(name).addEventListener("input", () => byId("hand_in").replaceChildren());
enter();
