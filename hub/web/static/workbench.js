// Keys for the mapping workbench. Everything a key does, a visible button or link does as well: this file only presses
// it. Pages are whole without it. Nothing is fetched, stored or written here.
//
// data-key="a"      this control is pressed, or this field entered, by the key
// data-list         a list through which j and k (or the arrows) move; each of its data-item rows holds one control
// data-needs="id"   before pressing, this field must be filled in: the key leads into it instead

"use strict";

(() => {
  const MOVES = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };
  const FULL_WIDTH = { "？": "?", "、": "/", "／": "/" };
  const CONTROLS = "a[href], button, input:not([type=hidden]), summary";

  const isTyping = (place) =>
    place.matches("textarea, select, input:not([type=radio], [type=checkbox], [type=submit], [type=button])");

  // A control inside a closed part of the page cannot be pressed.
  const isShown = (control) => control.getClientRects().length > 0 && !control.disabled;

  function itemsOf(place) {
    const list = place.closest("[data-list]") ?? document.querySelector("[data-list]");
    return list ? [...list.querySelectorAll("[data-item]")].filter(isShown) : [];
  }

  function move(step, place) {
    const items = itemsOf(place);
    if (items.length === 0) return false;
    const now = items.findIndex((item) => item.contains(place));
    const next = now < 0 ? (step > 0 ? 0 : items.length - 1) : Math.min(Math.max(now + step, 0), items.length - 1);
    const radio = items[next].querySelector("input[type=radio]");
    const target = radio ?? items[next].querySelector("[data-go]") ?? items[next].querySelector(CONTROLS);
    target.focus();
    if (radio) radio.checked = true;
    items[next].scrollIntoView({ block: "nearest" });
    return true;
  }

  // The row that is in focus comes before the page: a on a row is that row's a.
  function controlOf(key, place) {
    const found = [place.closest("[data-item]"), document]
      .filter(Boolean)
      .flatMap((part) => [...part.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)]);
    return found.find(isShown);
  }

  function press(control) {
    const needed = document.getElementById(control.dataset.needs ?? "");
    if (needed && !needed.value.trim()) {
      needed.focus();
    } else if (control.matches("input[type=radio]")) {
      control.focus();
      control.checked = true;
    } else if (control.matches("input, textarea, select")) {
      control.focus();
      control.select?.();
    } else {
      control.click();
      if (control.matches("summary")) control.focus();
    }
  }

  document.body.classList.add("keys-live");

  document.addEventListener("keydown", (event) => {
    const place = event.target instanceof Element ? event.target : document.body;
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.defaultPrevented) return;
    if (isTyping(place)) {
      // Out of the field again, so that the keys work: to the list, or where there is none to the page.
      if (event.key === "Escape") (move(1, document.body) ? null : document.getElementById("main").focus());
      return;
    }
    const step = MOVES[event.key];
    if (step) {
      // Arrows are the browser's own within radio buttons, and outside of a list they scroll the page.
      if (event.key.startsWith("Arrow") && (!place.closest("[data-item]") || place.matches("input[type=radio]"))) return;
      if (move(step, place)) event.preventDefault();
      return;
    }
    if (event.repeat || event.key.length !== 1) return;
    const control = controlOf(FULL_WIDTH[event.key] ?? event.key.toLowerCase(), place);
    if (control) {
      event.preventDefault();
      press(control);
    }
  });
})();
