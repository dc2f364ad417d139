"use strict";
// Tables are sorted by a button in each head: first up, then down, then as they came. Works by keyboard, without network.
(() => {
  const key = (cell) => {
    const value = cell.dataset.v ?? cell.textContent.trim();
    if (value === "") return null;
    const number = Number(value);
    return Number.isNaN(number) ? value : number;
  };
  const compare = (a, b) => {
    if (a === null || b === null) return (a === null) - (b === null); // empty ones stay at the end
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b), "en", { numeric: true });
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    const original = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    const told = document.createElement("p");
    told.className = "told";
    told.setAttribute("aria-live", "polite");
    table.after(told);
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const next = { none: "ascending", ascending: "descending", descending: "none" }[head.ariaSort ?? "none"];
        heads.forEach((other) => { other.ariaSort = null; });
        let rows = original;
        if (next !== "none") {
          head.ariaSort = next;
          const sign = next === "ascending" ? 1 : -1;
          rows = original.map((row) => [key(row.cells[column]), row]).sort(([a], [b]) =>
            a === null || b === null ? compare(a, b) : sign * compare(a, b)).map(([, row]) => row);
        }
        body.append(...rows);
        told.textContent = next === "none" ? "In the order of the page." : `Sorted by ${button.textContent}, ${next}.`;
      });
    });
  }
})();
