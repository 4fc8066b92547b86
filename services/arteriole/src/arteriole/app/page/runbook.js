// Codes, as links to what the runbook says of them, and that: of Markdown just what it uses.

import { el } from "/static/elements.js";

const CODE = "[a-z0-9]+\\.[a-z0-9_]+";
const CODED = new RegExp(`\\[(${CODE})\\]`);
const IS_CODE = new RegExp(`^${CODE}$`);
const ADDRESS = new RegExp(`^#/code/(${CODE})$`);
const INLINE = new RegExp(`(\`[^\`]+\`|\\[[^\\]]+\\]\\([^)]+\\))`);
const LINK = new RegExp(`^\\[(.+)\\]\\((?:(${CODE})\\.md)?`);
const LISTS = { "-": "ul", "1.": "ol" };

/** The code that an address of the page is of; null if it is of none. */
export const codeOf = (hash) => ADDRESS.exec(hash)?.[1] ?? null;

/** A code, or other words, as a link to the code's page; what has not the form of one as it is. */
export const codeLink = (code, words = el("code", {}, code)) => (IS_CODE.test(code) ? el("a", { href: `#/code/${code}` }, words) : words);

/** Text in which codes stand as `[convert.io]`, with these as links. */
export const coded = (text) => text.split(CODED).map((part, at) => (at % 2 ? ["[", codeLink(part), "]"] : part));

/** The parts of a page of the runbook, below its title. */
export function partsOf(text) {
  const parts = [];
  let list = null;
  for (const line of text.split("\n").slice(1)) {
    const [, mark = "", words] = /^(?:(##|-|\d+\.) )?(.*)$/.exec(line);
    const kind = LISTS[mark.replace(/^\d+/, "1")];
    if (kind === undefined) list = null;
    else if (list === null) parts.push((list = el(kind)));
    if (list !== null) list.append(el("li", {}, inline(words)));
    else if (line !== "") parts.push(el(mark === "##" ? "h2" : "p", {}, inline(words)));
  }
  return parts;
}

const inline = (text) => text.split(INLINE).map((part, at) => (at % 2 ? special(part) : part));

/** A command, or a link; where it leads to no code's page its words alone. */
function special(text) {
  if (text.startsWith("`")) return el("code", {}, text.slice(1, -1));
  const [, words, code] = LINK.exec(text);
  return code === undefined ? words : codeLink(code, words);
}
