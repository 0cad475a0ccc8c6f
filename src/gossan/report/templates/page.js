(function () {
  "use strict";
  document.documentElement.classList.add("js");

  function sortValue(cell) {
    var key = cell.getAttribute("data-v");
    return key === null ? cell.textContent.trim() : Number(key);
  }
  function compare(a, b) {
    var missing = (a === "–") - (b === "–");
    if (missing) { return missing * 2; }
    if (typeof a === "number" && typeof b === "number") { return a - b; }
    return String(a).localeCompare(String(b), undefined, { numeric: true });
  }
  function sortBy(button) {
    var heading = button.closest("th"), table = heading.closest("table"), body = table.tBodies[0];
    var column = heading.cellIndex, down = heading.getAttribute("aria-sort") === "ascending";
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (other) {
      other.removeAttribute("aria-sort");
    });
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    var rows = Array.prototype.map.call(body.rows, function (row, place) {
      return { row: row, value: sortValue(row.cells[column]), place: place };
    });
    rows.sort(function (a, b) {
      var order = compare(a.value, b.value);
      if (Math.abs(order) === 2 && (a.value === "–" || b.value === "–")) { return order; }
      return (down ? -order : order) || a.place - b.place;
    });
    rows.forEach(function (item) { body.appendChild(item.row); });
  }
  document.querySelectorAll("table.sortable thead th").forEach(function (heading) {
    var button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    heading.textContent = "";
    heading.appendChild(button);
    button.addEventListener("click", function () { sortBy(button); });
  });

  document.querySelectorAll("button.copy").forEach(function (button) {
    button.hidden = !(navigator.clipboard && window.isSecureContext) && !document.queryCommandSupported("copy");
    button.addEventListener("click", function () {
      var source = document.getElementById(button.getAttribute("data-from"));
      var range = document.createRange(), selection = window.getSelection();
      range.selectNodeContents(source);
      selection.removeAllRanges();
      selection.addRange(range);
      button.textContent = document.execCommand("copy") ? "Copied" : "Selected: press Ctrl+C";
      window.setTimeout(function () { button.textContent = "Copy"; }, 2500);
    });
  });

  var links = {};
  document.querySelectorAll("nav.contents a").forEach(function (link) {
    links[link.getAttribute("href").slice(1)] = link;
  });
  if ("IntersectionObserver" in window) {
    var watcher = new IntersectionObserver(function (entries) {
      entries.forEach(function (entry) {
        if (!entry.isIntersecting || !links[entry.target.id]) { return; }
        Object.keys(links).forEach(function (id) { links[id].removeAttribute("aria-current"); });
        links[entry.target.id].setAttribute("aria-current", "true");
      });
    }, { rootMargin: "-10% 0px -75% 0px" });
    document.querySelectorAll("main section[id]").forEach(function (part) { watcher.observe(part); });
  }
})();
