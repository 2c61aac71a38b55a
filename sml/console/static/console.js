// What the pages do beyond htmx: dialogs, sorting, and what a refreshed part keeps. Every page works without it.
"use strict";

const dialog = () => document.getElementById("dialog");
const notice = () => document.getElementById("notice");
const shown = new WeakMap();

function say(text) {
  notice().textContent = text;
  notice().hidden = !text;
}

// Dialogs: the server's page about an action is shown in one.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "dialog" && !dialog().open) dialog().showModal();
  if (event.detail.target.id === "dialog") dialog().querySelector("[autofocus], input, button")?.focus();
  restore();
});
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-close]") && dialog().open) {
    event.preventDefault();
    dialog().close();
  }
});
document.addEventListener("DOMContentLoaded", () => {
  dialog().addEventListener("close", () => {
    dialog().replaceChildren();
    for (const part of document.querySelectorAll("[data-poll]")) htmx.trigger(part, "refresh");
  });
  restore();
});

// Parts that are refreshed: not while nobody looks, and not where nothing has changed.
document.addEventListener("htmx:beforeRequest", (event) => {
  const part = event.detail.elt;
  if (part.matches("[data-poll]") && (document.hidden || dialog().open)) event.preventDefault();
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const part = event.detail.requestConfig.elt;
  if (!part.matches("[data-poll]") || event.detail.isError) return;
  const before = shown.get(document.body)?.[part.id];
  const same = before === event.detail.xhr.responseText;
  shown.set(document.body, { ...shown.get(document.body), [part.id]: event.detail.xhr.responseText });
  if (same) event.detail.shouldSwap = false;
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) say("");
});
document.addEventListener("htmx:sendError", () => say("The console does not answer: start it again with `sml console`."));
document.addEventListener("htmx:responseError", (event) => {
  const page = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
  say(page.querySelector("[data-sentence]")?.textContent.trim() || event.detail.xhr.responseText.slice(0, 300));
});

// What is chosen, opened and sorted outlives a refresh.
const kept = { checked: new Set(), sorted: new Map() };
document.addEventListener("change", (event) => {
  const box = event.target;
  if (box.matches?.("input[type=checkbox][data-keep]")) kept.checked[box.checked ? "add" : "delete"](box.value);
  if (box.matches?.("[data-submit]")) box.form.requestSubmit();
});

function restore() {
  for (const box of document.querySelectorAll("input[type=checkbox][data-keep]")) {
    box.checked = box.checked || kept.checked.has(box.value);
    if (box.checked) kept.checked.add(box.value);
  }
  for (const table of document.querySelectorAll("table[data-sortable]")) sortable(table);
  for (const part of document.querySelectorAll(".scroll, figure")) {
    if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
  }
  for (const log of document.querySelectorAll("[data-tail]")) log.scrollTop = log.scrollHeight;
}

function sortable(table) {
  table.querySelectorAll("thead th").forEach((head, column) => {
    if (head.hasAttribute("data-unsorted") || head.querySelector("button")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      kept.sorted.set(table.id, { column, down });
      sort(table, column, down);
    });
  });
  const before = kept.sorted.get(table.id);
  if (before) sort(table, before.column, before.down);
}

function sort(table, column, down) {
  const value = (row) => row.cells[column]?.dataset.value ?? row.cells[column]?.textContent.trim() ?? "";
  const compare = (one, other) => {
    const [a, b] = [value(one), value(other)];
    if (a === "" || b === "") return (a === "") - (b === "");
    const numbers = a - b;
    return (down ? -1 : 1) * (Number.isNaN(numbers) ? a.localeCompare(b, "en", { numeric: true }) : numbers);
  };
  const body = table.tBodies[0];
  body.append(...[...body.rows].sort(compare));
  table.querySelectorAll("thead th").forEach((head, place) => {
    if (place === column) head.setAttribute("aria-sort", down ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  });
}

// A row and its mark in a chart are shown together.
for (const [name, on] of [["pointerover", true], ["pointerout", false], ["focusin", true], ["focusout", false]]) {
  document.addEventListener(name, (event) => {
    const key = event.target.closest?.("[data-key]")?.dataset.key;
    if (!key) return;
    for (const mark of document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)) mark.classList.toggle("lit", on);
  });
}
