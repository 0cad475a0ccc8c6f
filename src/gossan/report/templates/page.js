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

  function tell(button, word) {
    var usual = button.getAttribute("data-usual") || button.textContent;
    button.setAttribute("data-usual", usual);
    button.textContent = word;
    window.setTimeout(function () { button.textContent = usual; }, 2500);
  }
  // A field of the page itself: it works from a file, where the clipboard may be closed to scripts.
  function copyText(text) {
    var field = document.createElement("textarea"), done = false;
    field.value = text;
    field.setAttribute("readonly", "");
    field.setAttribute("aria-hidden", "true");
    field.className = "copied";
    document.body.appendChild(field);
    field.select();
    try { done = document.execCommand("copy"); } catch (refused) { done = false; }
    field.remove();
    return done;
  }
  document.querySelectorAll("button.copy").forEach(function (button) {
    button.addEventListener("click", function () {
      var done = copyText(document.getElementById(button.getAttribute("data-from")).textContent);
      button.focus();
      tell(button, done ? "Copied" : "Not allowed here");
    });
  });

  function saveAs(parts, kind, name) {
    var link = document.createElement("a"), address = URL.createObjectURL(new Blob(parts, { type: kind }));
    link.href = address;
    link.download = name;
    document.body.appendChild(link);
    link.click();
    link.remove();
    window.setTimeout(function () { URL.revokeObjectURL(address); }, 30000);
  }
  function saveFigure(figure, name) {
    var svg = figure.querySelector(".drawing svg").cloneNode(true), space = "http://www.w3.org/2000/svg";
    var words = svg.getAttribute("aria-label");
    [["desc", words], ["title", figure.querySelector(".title").textContent]].forEach(function (pair) {
      var part = document.createElementNS(space, pair[0]);
      part.textContent = pair[1];
      svg.insertBefore(part, svg.firstChild);
    });
    var head = '<?xml version="1.0" encoding="utf-8"?>\n';
    saveAs([head, new XMLSerializer().serializeToString(svg)], "image/svg+xml", name);
  }
  function saveTable(text, name, button) {
    var letters = atob(text.trim()), bytes = new Uint8Array(letters.length);
    for (var i = 0; i < letters.length; i++) { bytes[i] = letters.charCodeAt(i); }
    if (typeof DecompressionStream === "undefined") {
      saveAs([bytes], "application/gzip", name + ".gz");
      return;
    }
    var stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    new Response(stream).arrayBuffer().then(function (whole) {
      saveAs([whole], "text/csv;charset=utf-8", name);
    }, function () { tell(button, "Not readable"); });
  }
  document.querySelectorAll("button.save").forEach(function (button) {
    button.addEventListener("click", function () {
      var name = button.getAttribute("data-file"), table = button.getAttribute("data-table");
      var figure = button.getAttribute("data-figure"), text = button.getAttribute("data-text");
      if (figure) { saveFigure(document.getElementById(figure), name); }
      if (table) { saveTable(document.getElementById(table).textContent, name, button); }
      if (text) { saveAs([document.getElementById(text).textContent, "\n"], "text/plain;charset=utf-8", name); }
    });
  });

  var links = {};
  document.querySelectorAll("nav.contents a").forEach(function (link) {
    links[link.getAttribute("href").slice(1)] = link;
  });
  var parts = Array.prototype.slice.call(document.querySelectorAll("main section[id], main .part[id]"));
  function markPlace() {
    var place = null;
    parts.forEach(function (part) {
      if (links[part.id] && part.getBoundingClientRect().top <= 0.25 * window.innerHeight) { place = part.id; }
    });
    Object.keys(links).forEach(function (id) { links[id].removeAttribute("aria-current"); });
    if (place) { links[place].setAttribute("aria-current", "true"); }
  }
  if ("IntersectionObserver" in window) {
    var watcher = new IntersectionObserver(markPlace, { rootMargin: "0px 0px -75% 0px" });
    parts.forEach(function (part) { watcher.observe(part); });
  }
})();
