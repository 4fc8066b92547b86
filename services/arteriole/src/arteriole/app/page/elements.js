// Elements are made here and nowhere else: whatever comes from data goes in as text.

/**
 * An element with attributes and children; strings among the children become text.
 *
 * A key that begins with "on" is an event and its listener; null, undefined and false are left out.
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) {
      if (typeof value !== "function") throw new TypeError(`${name} needs a function`);
      element.addEventListener(name.slice(2), value);
    } else if (name === "href" && !String(value).startsWith("#")) {
      throw new TypeError("links lead to this page only");
    } else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

export const byId = (id) => document.getElementById(id);

/** Text for those who hear the page. */
export const unseen = (text) => el("span", { class: "hidden" }, text);

/** Put `children` into `parent`, leaving alone those that are there already in this order. */
export function fill(parent, children) {
  let next = parent.firstChild;
  for (const child of children) {
    if (child === next) next = next.nextSibling;
    else parent.insertBefore(child, next);
  }
  while (next !== null) {
    const gone = next;
    next = next.nextSibling;
    gone.remove();
  }
}

/** Replace what `parent` holds by `children`, part by part, only where they differ. */
export function renew(parent, children) {
  const before = [...parent.children];
  const kept = children.map((child, index) => {
    const old = before[index];
    if (old === undefined) return child;
    for (const open of old.querySelectorAll("details[open][id]")) {
      child.querySelector(`#${CSS.escape(open.id)}`)?.setAttribute("open", "");
    }
    return old.isEqualNode(child) ? old : child;
  });
  const focused = parent.contains(document.activeElement) ? document.activeElement.id : "";
  fill(parent, kept);
  if (focused && document.activeElement?.id !== focused) byId(focused)?.focus();
}
