// Comfort only: without this script every page is complete and readable. Nothing is stored and nothing is fetched.
"use strict";

(function () {
  const all = (selector, within) => Array.from((within || document).querySelectorAll(selector));
  const make = (tag, text, name) => {
    const made = document.createElement(tag);
    if (text) made.textContent = text;
    if (name) made.className = name;
    return made;
  };
  const collator = new Intl.Collator(undefined, { numeric: true }); // one for all: making it is most of a comparison
  const textOf = (cell) => (cell ? cell.textContent.trim() : "");

  // How old the page is, and a warning once it should have been made anew.
  function age() {
    const made = document.querySelector("[data-made]");
    if (!made) return;
    const told = document.querySelector("[data-ago]");
    const warning = document.querySelector("[data-stale]");
    const tick = () => {
      const minutes = Math.floor((Date.now() - Date.parse(made.dateTime)) / 60000);
      told.textContent = " (" + spoken(minutes) + ")";
      const stale = minutes > Number(made.dataset.made);
      if (warning.hidden === stale) warning.hidden = !stale;
    };
    tick();
    setInterval(tick, 30000);
  }

  function spoken(minutes) {
    if (minutes < 1) return "just now";
    const [number, unit] =
      minutes < 60 ? [minutes, "minute"] : minutes < 2880 ? [Math.floor(minutes / 60), "hour"] : [Math.floor(minutes / 1440), "day"];
    return number + " " + unit + (number === 1 ? "" : "s") + " ago";
  }

  // Headers become buttons that sort; aria-sort tells which way.
  function value(row, column) {
    const cell = row.cells[column];
    const time = cell.querySelector("time");
    if (time) return Date.parse(time.dateTime);
    if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
    const text = textOf(cell);
    const number = Number(text.replace(/,/g, ""));
    return text !== "" && !Number.isNaN(number) ? number : text.toLowerCase();
  }

  function compare(one, other) {
    if (typeof one === typeof other) {
      return typeof one === "number" ? one - other : collator.compare(one, other);
    }
    return typeof one === "number" ? -1 : 1; // what has no instant ("none") comes after what has one
  }

  function sortable(table) {
    const heads = all("thead th", table);
    heads.forEach((head, column) => {
      if (head.hasAttribute("data-nosort")) return;
      const button = make("button", textOf(head), "sort");
      button.type = "button";
      head.textContent = "";
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const body = table.tBodies[0];
        const rows = Array.from(body.rows, (row) => [value(row, column), row]);
        rows.sort((a, b) => (down ? compare(b[0], a[0]) : compare(a[0], b[0])));
        body.append(...rows.map((pair) => pair[1]));
      });
    });
  }

  // Filters: one list per column, filled from what stands in it, and a free text.
  function filterable(form) {
    const table = document.getElementById(form.dataset.for);
    if (!table || table.tBodies[0].rows.length < 2) return;
    const rows = Array.from(table.tBodies[0].rows, (row) => ({ row, text: row.textContent.toLowerCase() }));
    const lists = all("select[data-col]", form);
    lists.forEach((list) => {
      const found = new Set();
      let without = 0;
      rows.forEach(({ row }) => {
        const said = parts(row, list);
        if (!said.length) without += 1;
        said.forEach((part) => found.add(part));
      });
      Array.from(found)
        .sort()
        .forEach((text) => list.append(new Option(text, text)));
      if (found.size === 0 || (found.size === 1 && !without)) list.parentElement.hidden = true;
    });
    const search = form.querySelector("[data-text]");
    const shown = form.querySelector(".shown");
    const part = form.dataset.part ? " in " + form.dataset.part : ""; // of a list in parts only one is looked at
    const apply = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      const wanted = lists.filter((list) => list.value);
      let count = 0;
      rows.forEach(({ row, text }) => {
        const fits =
          words.every((word) => text.includes(word)) && wanted.every((list) => parts(row, list).includes(list.value));
        row.hidden = !fits;
        if (fits) count += 1;
      });
      shown.textContent = count + " of " + rows.length + part + " shown";
    };
    let waiting = 0;
    form.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(apply, 120);
    });
    form.addEventListener("reset", () => setTimeout(apply));
    form.addEventListener("submit", (event) => event.preventDefault());
    form.hidden = false;
    apply();
  }

  function parts(row, list) {
    const cell = row.cells[Number(list.dataset.col)];
    const text = textOf(cell.querySelector(".chip") || cell);
    return text ? text.split(", ") : [];
  }

  // A button beside every line that is meant to be copied.
  function copyable(code) {
    if (!navigator.clipboard) return;
    const button = make("button", "Copy", "copier");
    button.type = "button";
    button.setAttribute("aria-label", "Copy: " + code.textContent);
    button.addEventListener("click", () => {
      const said = (text) => {
        button.textContent = text;
        announce(text);
        setTimeout(() => (button.textContent = "Copy"), 2000);
      };
      navigator.clipboard.writeText(code.textContent).then(
        () => said("Copied"),
        () => said("Not allowed here")
      );
    });
    code.after(" ", button);
  }

  const announcer = make("p", "", "unseen");
  function announce(text) {
    announcer.textContent = text;
  }

  // A link to something folded away opens it.
  function unfold() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") {
      target.open = true;
      target.querySelector("summary").focus();
    }
  }

  announcer.setAttribute("role", "status");
  document.body.append(announcer);
  age();
  all("table[data-sortable]").forEach(sortable);
  all("form.filters").forEach(filterable);
  all("code.copy").forEach(copyable);
  addEventListener("hashchange", unfold);
  unfold();
})();
