// What the runbook says of a code.

import { byId, el } from "/static/elements.js";
import { partsOf } from "/static/runbook.js";
import { MissingError } from "/static/service.js";

export class CodePage {
  #service;
  #parent = byId("code");
  #code = null;

  constructor(service) {
    this.#service = service;
  }

  /** The code that is shown, or null. */
  get code() {
    return this.#code;
  }

  /** Show this one, with a link that leads back to `back`; or none with null. */
  async go(code, back = "#/") {
    this.#code = code;
    if (code === null) return;
    this.#parent.replaceChildren(
      el("nav", { "aria-label": "Back" }, el("a", { href: back }, "‹ Back")),
      el("h1", { id: "code-title", tabindex: "-1" }, code),
      el("p", { class: "empty" }, "loading"),
    );
    const told = await this.#told(code);
    if (code === this.#code) this.#parent.lastChild.replaceWith(told);
  }

  async #told(code) {
    try {
      const { text } = await this.#service.get(`runbook/${code}`);
      return el("section", {}, partsOf(text), el("p", { class: "faint" }, NAMES));
    } catch (err) {
      if (!(err instanceof MissingError)) throw err;
      return el("p", { class: "empty" }, `${err.message}.`);
    }
  }
}

const NAMES = "What stands in capitals is to be replaced: RUN by the run folder's name, STATE_DIR and the like by what arteriole.yaml says.";
