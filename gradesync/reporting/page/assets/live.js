// Keeps a served page fresh: asks for a tiny version file and loads the page anew when it changed.
// What the reader had done to the page (filters, open details, focus, place) is put back. Only `page --serve` sends this.
"use strict";
(() => {
  const EVERY = 5000;
  const KEPT = "gradesync-live:" + location.pathname;
  let known = null;
  let paused = sessionStorage.getItem("gradesync-live-paused") === "yes";

  const fields = () => [...document.querySelectorAll("main input, main select")].filter((one) => one.id || one.name);
  const keyOf = (one) => one.id || one.name + ":" + one.value;

  const keep = () => {
    const values = {};
    for (const one of fields()) {
      values[keyOf(one)] = one.type === "checkbox" || one.type === "radio" ? one.checked : one.value;
    }
    const open = [...document.querySelectorAll("details[id]")].filter((one) => one.open).map((one) => one.id);
    const focus = document.activeElement ? document.activeElement.id : "";
    sessionStorage.setItem(KEPT, JSON.stringify({ values, open, focus, x: scrollX, y: scrollY }));
  };

  const putBack = () => {
    const text = sessionStorage.getItem(KEPT);
    sessionStorage.removeItem(KEPT);
    if (!text) return;
    const { values, open, focus, x, y } = JSON.parse(text);
    for (const one of fields()) {
      const value = values[keyOf(one)];
      const now = one.type === "checkbox" || one.type === "radio" ? "checked" : "value";
      if (value === undefined || one[now] === value) continue;
      one[now] = value;
      one.dispatchEvent(new Event("input", { bubbles: true }));
      one.dispatchEvent(new Event("change", { bubbles: true }));
    }
    for (const one of document.querySelectorAll("details[id]")) one.open = open.includes(one.id);
    const target = focus && document.getElementById(focus);
    if (target) target.focus({ preventScroll: true });
    scrollTo({ left: x, top: y, behavior: "instant" });
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
      const answer = await fetch("/version.json", { cache: "no-store" });
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
