// Where one is on the page, as its address says it: `#/run/NAME`, `#/code/convert.io`,
// `#/?show=person&search=A00834`.

import { codeOf } from "/static/runbook.js";
import { GROUPS } from "/static/words.js";

export const runHash = (name) => `#/run/${encodeURIComponent(name)}`;

export function listHash({ show, state, search }) {
  const words = new URLSearchParams();
  if (show !== "all") words.set("show", show);
  if (state) words.set("state", state);
  if (search) words.set("search", search);
  return words.size > 0 ? `#/?${words}` : "#/";
}

/** `{run}`, `{code}` or `{show, state, search}`. */
export function placeOf(hash) {
  const code = codeOf(hash);
  if (code !== null) return { code };
  const run = /^#\/run\/([^?]+)$/.exec(hash);
  if (run) {
    try {
      return { run: decodeURIComponent(run[1]) };
    } catch {
      return { run: run[1] };
    }
  }
  const words = new URLSearchParams(hash.split("?")[1] ?? "");
  const show = words.get("show") ?? "";
  return {
    show: Object.hasOwn(GROUPS, show) ? show : "all",
    state: words.get("state") ?? "",
    search: words.get("search") ?? "",
  };
}
