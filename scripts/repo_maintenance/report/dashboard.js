"use strict";
{
  const table = document.getElementById("table");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const headers = Array.from(table.tHead.rows[0].cells);
  const search = document.getElementById("search");
  const state = document.getElementById("state");
  const shown = document.getElementById("shown");
  const none = document.getElementById("none");
  const words = new Map(rows.map((row) => [row, row.cells[0].textContent.toLowerCase()]));

  const filter = () => {
    const wanted = search.value.trim().toLowerCase();
    let count = 0;
    for (const row of rows) {
      const fits = words.get(row).includes(wanted) && (!state.value || row.dataset.state === state.value);
      row.hidden = !fits;
      count += fits ? 1 : 0;
    }
    shown.textContent = `${count.toLocaleString("en")} of ${rows.length.toLocaleString("en")} shown`;
    none.hidden = count > 0;
  };

  // What has no value stands last, whichever the direction.
  const compare = (one, other, isText) => {
    if (one === "" || other === "") return (one === "") - (other === "");
    return isText ? one.localeCompare(other, "en", { numeric: true }) : Number(one) - Number(other);
  };

  const sortBy = (column) => {
    const header = headers[column];
    const direction = header.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    for (const each of headers) each.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
    const value = (row) => row.cells[column].dataset.value;
    rows.sort((a, b) => {
      const one = value(a);
      const other = value(b);
      const order = compare(one, other, column === 0);
      return one === "" || other === "" ? order : direction * order;
    });
    body.append(...rows);
  };

  headers.forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    button.addEventListener("click", () => sortBy(column));
    header.append(button);
  });
  document.getElementById("controls").hidden = false;
  document.getElementById("controls").addEventListener("submit", (event) => event.preventDefault());
  search.addEventListener("input", filter);
  state.addEventListener("change", filter);
  document.getElementById("reset").addEventListener("click", () => {
    search.value = state.value = "";
    filter();
    search.focus();
  });
  filter();
}
