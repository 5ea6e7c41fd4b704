"use strict";
// Sorts the table of columns by the button of a heading; again turns the order round.
for (const button of document.querySelectorAll("th[data-sort] button")) {
  button.addEventListener("click", () => {
    const heading = button.closest("th");
    const at = heading.cellIndex;
    const body = heading.closest("table").tBodies[0];
    const order = heading.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
    for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", order);
    const value = (row) => row.cells[at].dataset.value ?? row.cells[at].textContent.trim();
    const numbers = heading.dataset.sort === "number";
    const compare = (a, b) => {
      const [x, y] = [value(a), value(b)];
      if ((x === "") !== (y === "")) return x === "" ? 1 : -1; // what is undefined comes last
      const found = numbers ? x - y : x.localeCompare(y, undefined, { numeric: true });
      return order === "ascending" ? found : -found;
    };
    body.append(...[...body.rows].sort(compare));
  });
}
// The whole row of a column leads where its name does.
for (const link of document.querySelectorAll('td a[href^="#"]')) {
  link.closest("tr").addEventListener("click", (event) => {
    if (event.target !== link) link.click();
  });
}
// A link to a column opens its big picture.
const open = () => {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (target && target.tagName === "DETAILS") target.open = true;
};
addEventListener("hashchange", open);
open();
// Paper shows everything, and the screen is as before afterwards.
const closed = [];
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details:not([open])")) {
    closed.push(details);
    details.open = true;
  }
});
addEventListener("afterprint", () => closed.splice(0).forEach((details) => { details.open = false; }));
