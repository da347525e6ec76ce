// Follows unfinished work: asks for the page again and puts in what has changed, and nothing else, so that whatever
// is being read, filled in or held by the keyboard stays. Without it the page is the same and is refreshed by a link.
(() => {
  "use strict";
  const EVERY = 3000; // milliseconds; twice as long after each time in a row that went wrong
  const MOST = 200; // times; a browser that is left open is no reason to stay signed in
  const MOST_WRONG = 4;
  const part = document.getElementById("following");
  const status = document.getElementById("following-status");
  let times = 0;
  let wrong = 0;
  let timer = 0;

  // What every job says of itself, by its line.
  const told = (place) => new Map(Array.from(place.querySelectorAll("[data-told]"), (one) => [one.id, one.dataset.told]));

  // The place of one thing is taken by another; whoever had the focus in it has it as near as can be.
  function swap(old, now) {
    const copy = document.importNode(now, true);
    const held = old.contains(document.activeElement) ? document.activeElement : null;
    const line = held && held.closest("[data-told]");
    old.replaceWith(copy);
    if (!held) return;
    const near = [copy, line && document.getElementById(line.id), part].filter((one) => one && one.querySelector);
    const next = near.map((one) => (one.matches("a, button") ? one : one.querySelector("a, button"))).find(Boolean);
    (next || part).focus({preventScroll: true});
  }

  function put(old, now) {
    if (old.isEqualNode(now)) return;
    const alike = old.nodeType === Node.ELEMENT_NODE && old.nodeName === now.nodeName && old.id === now.id;
    if (!alike || old.childNodes.length !== now.childNodes.length) {
      swap(old, now);
      return;
    }
    for (const {name} of Array.from(old.attributes)) if (!now.hasAttribute(name)) old.removeAttribute(name);
    for (const {name, value} of now.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    Array.from(old.childNodes).forEach((child, at) => put(child, now.childNodes[at]));
  }

  async function look() {
    if (document.hidden) return true;
    times += 1;
    const answer = await fetch(part.dataset.from, {redirect: "error", headers: {Accept: "text/html"}});
    const page = new DOMParser().parseFromString(answer.ok ? await answer.text() : "", "text/html");
    const now = page.getElementById("following");
    if (!now || !timer) throw new Error("there is no such page any more");
    const before = told(part);
    put(part, now);
    const news = Array.from(told(now)).filter(([id, words]) => before.has(id) && before.get(id) !== words);
    if (news.length) status.textContent = news.map(([, words]) => words).join(". ");
    return "from" in now.dataset;
  }

  function later() {
    timer = setTimeout(async () => {
      try {
        const goesOn = await look();
        wrong = 0;
        if (!goesOn || times >= MOST) return;
      } catch {
        wrong += 1;
        if (wrong > MOST_WRONG || !timer) return;
      }
      later();
    }, EVERY * 2 ** wrong);
  }

  // Whoever sends a form or goes elsewhere is told there what became of it.
  function stop() {
    clearTimeout(timer);
    timer = 0;
  }

  if (!part || !status || !("from" in part.dataset)) return;
  addEventListener("submit", stop);
  addEventListener("pagehide", stop);
  later();
})();
