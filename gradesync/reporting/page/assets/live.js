// Keeps a served page fresh: asks for a tiny version file and loads the page anew when it changed.
// What the reader had done to the page (filters, open details, focus, place) is put back. Only `page --serve` sends this.
"use strict";
(() => {
  const EVERY = 5000;
  const VERSION = new URL("version.json", document.currentScript.src); // the site need not stand at the top
  const KEPT = "gradesync-live:" + location.pathname;
  let known = null;
  let paused = sessionStorage.getItem("gradesync-live-paused") === "yes";

  // Things are known by their place: the new page has the same ones, unless a row came or went.
  const all = (selector) => [...document.querySelectorAll(selector)];
  const FIELDS = "main input, main select";
  const FOCUS = "a[href], button, input, select, summary";
  const HEADS = "main thead th";
  const chosen = (one) => (one.type === "checkbox" || one.type === "radio" ? "checked" : "value");

  const keep = () => {
    const sorted = all(HEADS).map((one) => one.getAttribute("aria-sort"));
    const kept = {
      values: all(FIELDS).map((one) => one[chosen(one)]),
      open: all("main details").map((one) => one.open),
      sorted: sorted.findIndex((way) => way),
      down: sorted.includes("descending"),
      focus: all(FOCUS).indexOf(document.activeElement),
      left: scrollX,
      top: scrollY,
    };
    sessionStorage.setItem(KEPT, JSON.stringify(kept));
  };

  const putBack = () => {
    const text = sessionStorage.getItem(KEPT);
    sessionStorage.removeItem(KEPT);
    if (!text) return;
    const kept = JSON.parse(text);
    const fields = all(FIELDS);
    fields.forEach((one, place) => {
      const value = kept.values[place];
      if (kept.values.length !== fields.length || one[chosen(one)] === value) return;
      one[chosen(one)] = value;
      one.dispatchEvent(new Event("input", { bubbles: true }));
    });
    const details = all("main details");
    if (details.length === kept.open.length) details.forEach((one, place) => { one.open = kept.open[place]; });
    const head = kept.sorted >= 0 && all(HEADS)[kept.sorted];
    const sort = head && head.querySelector("button");
    if (sort) sort.click();
    if (sort && kept.down) sort.click();
    const target = kept.focus >= 0 && all(FOCUS)[kept.focus];
    if (target) target.focus({ preventScroll: true });
    scrollTo({ left: kept.left, top: kept.top, behavior: "instant" });
  };

  const status = document.createElement("p");
  status.className = "live";
  const words = document.createElement("span");
  const button = document.createElement("button");
  button.type = "button";
  button.id = "live-pause";
  status.append(words, " ", button);
  const tell = (text) => { words.textContent = text; };
  const show = () => {
    button.textContent = paused ? "Refresh by itself again" : "Stop refreshing";
    tell(paused ? "This page stays as it is." : "This page refreshes by itself.");
  };
  button.addEventListener("click", () => {
    paused = !paused;
    sessionStorage.setItem("gradesync-live-paused", paused ? "yes" : "no");
    show();
    look();
  });

  const look = async () => {
    if (paused || document.hidden) return;
    try {
      const answer = await fetch(VERSION, { cache: "no-store" });
      if (answer.status === 404) {
        // Served anew, it stands at another address, which only its terminal tells.
        tell("The page is served at another address now; this one is as it was.");
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      const { version } = await answer.json();
      if (known === null) known = version;
      show();
      if (version !== known) {
        keep();
        location.reload();
      }
    } catch {
      tell("The server does not answer; this page is as it was.");
    }
  };

  addEventListener("DOMContentLoaded", () => {
    (document.querySelector("main") || document.body).append(status);
    show();
    putBack();
    look();
    setInterval(look, EVERY);
    document.addEventListener("visibilitychange", look);
  });
})();
