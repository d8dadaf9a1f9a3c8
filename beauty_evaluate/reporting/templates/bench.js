"use strict";
// Sorts the tables of this page by a column; it asks nothing of anyone, and the page can be read without it.
(() => {
  const text = (row, column) => row.cells[column].textContent.trim();
  const number = (value) => (/^[+-]?\d/.test(value) ? parseFloat(value) : NaN);
  const compare = (a, b) => {
    const [x, y] = [number(a), number(b)];
    return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, undefined, { numeric: true }) : x - y;
  };
  const sort = (table, column) => {
    const heads = [...table.tHead.rows[0].cells];
    const turned = heads[column].getAttribute("aria-sort") === "descending";
    for (const head of heads) head.removeAttribute("aria-sort");
    heads[column].setAttribute("aria-sort", turned ? "ascending" : "descending");
    const body = table.tBodies[0];
    const empty = (row) => text(row, column) === "-" || text(row, column) === "";
    body.append(...[...body.rows].sort((a, b) => // rows without a value come last, either way
      empty(a) - empty(b) || (turned ? 1 : -1) * compare(text(a, column), text(b, column))));
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      button.addEventListener("click", () => sort(table, column));
      head.replaceChildren(button);
    });
  }
  document.getElementById("hint").hidden = false;
})();
