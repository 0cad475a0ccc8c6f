(function () {
  "use strict";
  // Maps without a library: unpack, colour cells by a table, draw on demand, read any cell.
  // Places are metres from the middle of the map, x east, y north; words reach the page only as
  // text. Sections: bytes, layers, colours, view, frame, marks, reading, panel, legend, input, start.

  var MARGIN = { left: 34, right: 10, top: 8, bottom: 26 }, INK = "#1d2733", QUIET = "#55616d", FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', Arial, sans-serif";
  var DASHES = { solid: [], dashed: [7, 4], dotted: [2, 3] }, BEST = [100, 75, 50, 40, 30, 25, 20, 15, 10, 7, 5, 3, 2, 1, 0.5];

  // ---- bytes -----------------------------------------------------------------------------------

  function bytesOf(text) {
    if (Uint8Array.fromBase64) { return Uint8Array.fromBase64(text); }
    var raw = atob(text), bytes = new Uint8Array(raw.length);
    for (var i = 0; i < raw.length; i++) { bytes[i] = raw.charCodeAt(i); }
    return bytes;
  }

  async function unzip(bytes) {
    if (typeof DecompressionStream !== "undefined") {
      var stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      return new Uint8Array(await new Response(stream).arrayBuffer());
    }
    return inflate(bytes, 10);
  }

  // For browsers older than 2023 (RFC 1951): canonical Huffman codes, read bit by bit.
  function inflate(source, at) {
    var end = source.length, size = (source[end - 4] | source[end - 3] << 8 | source[end - 2] << 16) + source[end - 1] * 16777216;
    var out = new Uint8Array(size), n = 0, hold = 0, held = 0;
    function bits(k) {
      while (held < k) { hold |= source[at++] << held; held += 8; }
      var value = hold & ((1 << k) - 1);
      hold >>>= k; held -= k;
      return value;
    }
    function treeOf(lengths) {
      var counts = new Uint16Array(16), starts = new Uint16Array(16), symbols = new Uint16Array(lengths.length), i;
      for (i = 0; i < lengths.length; i++) { counts[lengths[i]]++; }
      counts[0] = 0;
      for (i = 1; i < 16; i++) { starts[i] = starts[i - 1] + counts[i - 1]; }
      for (i = 0; i < lengths.length; i++) { if (lengths[i]) { symbols[starts[lengths[i]]++] = i; } }
      return { counts: counts, symbols: symbols };
    }
    function symbol(tree) {
      for (var code = 0, first = 0, index = 0, k = 1; k < 16; k++) {
        code |= bits(1);
        var count = tree.counts[k];
        if (code - count < first) { return tree.symbols[index + code - first]; }
        index += count; first = (first + count) << 1; code <<= 1;
      }
      throw new Error("The packed data are damaged.");
    }
    function ladder(first, step) { // base and extra bits of lengths and distances
      var bases = [], extras = [], base = first;
      for (var i = 0; i < 30; i++) {
        var extra = Math.max(0, (i / step | 0) - 1);
        bases.push(base); extras.push(extra); base += 1 << extra;
      }
      return [bases, extras];
    }
    var lengths = ladder(3, 4), distances = ladder(1, 2), last, fixed = [[], []], i;
    lengths[0][28] = 258; lengths[1][28] = 0;
    for (i = 0; i < 288; i++) { fixed[0].push(i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8); }
    for (i = 0; i < 30; i++) { fixed[1].push(5); }
    function dynamic() {
      var n1 = bits(5) + 257, n2 = bits(5) + 1, n3 = bits(4) + 4, short = new Array(19).fill(0), all = [], own;
      [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15].slice(0, n3).forEach(function (k) { short[k] = bits(3); });
      var tree = treeOf(short);
      while (all.length < n1 + n2) {
        own = symbol(tree);
        if (own < 16) { all.push(own); continue; }
        var what = own === 16 ? all[all.length - 1] : 0, times = own === 16 ? 3 + bits(2) : own === 17 ? 3 + bits(3) : 11 + bits(7);
        while (times--) { all.push(what); }
      }
      return [treeOf(all.slice(0, n1)), treeOf(all.slice(n1))];
    }
    do {
      last = bits(1);
      var kind = bits(2), trees;
      if (kind === 0) {
        hold = held = 0;
        var plain = source[at] | source[at + 1] << 8;
        out.set(source.subarray(at + 4, at + 4 + plain), n);
        at += 4 + plain; n += plain;
        continue;
      }
      trees = kind === 1 ? [treeOf(fixed[0]), treeOf(fixed[1])] : dynamic();
      for (var own = symbol(trees[0]); own !== 256; own = symbol(trees[0])) {
        if (own < 256) { out[n++] = own; continue; }
        var run = lengths[0][own - 257] + bits(lengths[1][own - 257]), far = symbol(trees[1]);
        for (var from = n - distances[0][far] - bits(distances[1][far]); run--;) { out[n++] = out[from++]; }
      }
    } while (!last);
    return out;
  }

  function floatsOf(store, place) {
    var n = place[1], array = new Float32Array(n), bytes = new Uint8Array(array.buffer);
    for (var plane = 0; plane < 4; plane++) {
      for (var i = 0, from = place[0] + plane * n, to = plane; i < n; i++, to += 4) { bytes[to] = store[from + i]; }
    }
    return array;
  }

  // ---- words -----------------------------------------------------------------------------------

  function element(tag, words, name) {
    var own = document.createElement(tag);
    if (words !== undefined && words !== null) { own.textContent = words; }
    if (name) { own.className = name; }
    return own;
  }
  function trueMinus(text) { return text.replace("-", "−"); }
  function written(value) {
    var size = Math.abs(value);
    if (!isFinite(value)) { return "–"; }
    if (value && (size < 1e-4 || size >= 1e9)) { return trueMinus(value.toExponential(2)); }
    if (size >= 1000) { return trueMinus(value.toLocaleString("en-US", { maximumFractionDigits: 0 })); }
    return trueMinus(String(Number(value.toPrecision(size >= 100 ? 4 : 3))));
  }
  function metres(value) { return trueMinus((Math.round(10 * value) / 10 || 0).toLocaleString("en-US", { maximumFractionDigits: 1 })); }
  function withUnit(text, unit) { return unit ? text + " " + unit : text; }
  function niceStep(span, parts) {
    var raw = span / parts, power = Math.pow(10, Math.floor(Math.log10(raw)));
    return power * [1, 2, 5, 10].find(function (k) { return k * power >= raw * 0.999; });
  }

  async function mount(root) {
    var find = function (name) { return root.querySelector("." + name); };
    var canvas = root.querySelector("canvas"), stage = find("gm-stage"), hint = find("gm-hint"), divider = find("gm-divider"), panel = find("gm-panel");
    var pen = canvas.getContext("2d"), header = JSON.parse(find("gm-header").textContent);
    if (!pen) { throw new Error("This browser cannot draw on a canvas."); }
    var payload = find("gm-payload"), store = await unzip(bytesOf(payload.textContent));
    payload.textContent = "";
    var frame = header.frame, rows = frame.shape[0], columns = frame.shape[1], n = rows * columns;
    var layers = header.layers, pattern = {}, masks = {}, size = [1, 1], dense = 1;
    var view = { x: 0, y: 0, scale: 1 }, fitted = 1; // scale: metres a pixel
    var shown = layers[header.first], other = null, state = { mode: "swipe", share: 0.5, opacity: 1, best: 100, lines: true };
    var picked = null, pin = null, asked = false, crosshair = false, controls = {};

    // ---- layers --------------------------------------------------------------------------------

    function maskAt(place) { // true: missing
      if (!masks[place]) { masks[place] = store.subarray(place, place + Math.ceil(n / 8)); }
      return masks[place];
    }
    function has(mask, i) { return (mask[i >> 3] >> (i & 7)) & 1; }

    function decode(layer) {
      if (layer.q) { return layer; }
      var place = layer.codes, q = new Uint16Array(n), i, k = 0;
      for (i = 0; i < n; i++) {
        var z = store[place[0] + i] | (place[2] === 2 ? store[place[0] + n + i] << 8 : 0);
        q[i] = (z >>> 1) ^ -(z & 1);
      }
      for (var row = 0; row < rows; row++) {
        for (i = 1, k = row * columns + 1; i < columns; i++, k++) { q[k] += q[k - 1]; }
      }
      if (place[1]) { for (k = columns; k < n; k++) { q[k] += q[k - columns]; } }
      layer.mask = maskAt(layer.missing);
      layer.q = q;
      var counts = new Uint32Array(65536), known = 0;
      for (i = 0; i < n; i++) { if (!has(layer.mask, i)) { counts[q[i]]++; known++; } }
      layer.ranks = new Float32Array(65536); // share of known cells that lie lower, half of its equals
      for (i = 0, k = 0; i < 65536; k += counts[i], i++) { layer.ranks[i] = known ? (k + counts[i] / 2) / known : 0; }
      layer.known = known;
      return layer;
    }
    function valueOf(layer, code) { return layer.log ? layer.low * Math.exp(layer.step * code) : layer.low + layer.step * code; }
    function valueAt(layer, i) { return i < 0 || has(decode(layer).mask, i) ? NaN : valueOf(layer, layer.q[i]); }
    function rankAt(layer, i) { return i < 0 || has(decode(layer).mask, i) ? NaN : layer.ranks[layer.q[i]]; }
    function quantile(layer, share) { // value that this share of the known cells lies below
      var low = 0, high = 65535;
      while (low < high) { var middle = (low + high) >> 1; if (decode(layer).ranks[middle] < share) { low = middle + 1; } else { high = middle; } }
      return Math.min(Math.max(valueOf(layer, low), layer.ends[0]), layer.ends[1]);
    }
    function toldAt(layer, i) {
      var value = valueAt(layer, i);
      if (isNaN(value)) { return "no data"; }
      if (layer.classes) { return classOf(layer, value)[1]; }
      return withUnit((layer.ramp === "departure" && value > 0 ? "+" : "") + written(value), layer.unit);
    }
    function classOf(layer, value) { return layer.classes.find(function (own) { return own[0] === Math.round(value); }) || [0, "–", "#7a7f85"]; }

    // ---- colours -------------------------------------------------------------------------------

    function shareOf(layer, value, code) {
      if (layer.stretch === "percentile") { return layer.ranks[code]; }
      var ends = layer.scales[layer.stretch];
      if (layer.stretch === "log") { return value > 0 ? Math.log(value / ends[0]) / Math.log(ends[1] / ends[0]) : 0; }
      return ends[1] > ends[0] ? (value - ends[0]) / (ends[1] - ends[0]) : 0.5;
    }
    function packed(code, fade) {
      var value = parseInt(code.slice(1), 16), r = value >> 16, g = (value >> 8) & 255, b = value & 255;
      if (fade) { r = 225 + 0.1 * r; g = 225 + 0.1 * g; b = 225 + 0.1 * b; } // not enough to be read as a value
      return (255 << 24 | b << 16 | g << 8 | r) >>> 0;
    }
    function tableOf(layer) {
      var table = new Uint32Array(65536), ramp = header.ramps[layer.ramp], cut = layer === shown ? 1 - state.best / 100 : 0;
      for (var code = 0; code < 65536; code++) {
        var value = valueOf(layer, code), fade = cut > 0 && layer.ranks[code] < cut && !layer.classes;
        if (layer.classes) { table[code] = packed(classOf(layer, value)[2]); continue; }
        var share = shareOf(layer, value, code);
        table[code] = packed(ramp[Math.max(0, Math.min(255, Math.floor(share * 256)))], fade);
      }
      return table;
    }
    function blank() {
      var own = document.createElement("canvas");
      own.width = columns; own.height = rows;
      return own;
    }
    function paint(fill) { // fill(cell) gives a pixel; the first row of cells is the southernmost
      var picture = blank(), ink = picture.getContext("2d"), image = ink.createImageData(columns, rows), pixels = new Uint32Array(image.data.buffer);
      for (var row = 0, cell = 0; row < rows; row++) {
        for (var to = (rows - 1 - row) * columns, end = to + columns; to < end; to++, cell++) { pixels[to] = fill(cell); }
      }
      ink.putImageData(image, 0, 0);
      return picture;
    }
    function pictureOf(layer) {
      var key = [layer.stretch, layer === shown ? state.best : 100].join();
      if (layer.painted !== key) {
        decode(layer);
        var table = tableOf(layer), q = layer.q, mask = layer.mask;
        layer.picture = paint(function (i) { return (mask[i >> 3] >> (i & 7)) & 1 ? 0 : table[q[i]]; });
        layer.painted = key;
      }
      return layer.picture;
    }
    function paperOf(layer) { // white where known, so that hatches never shine through a faint layer
      if (!pattern[layer.missing]) {
        var mask = decode(layer).mask;
        pattern[layer.missing] = paint(function (i) { return has(mask, i) ? 0 : 0xffffffff; });
      }
      return pattern[layer.missing];
    }
    function veil() {
      var key = "veil" + shown.missing; // where there is no data at all, that is what must be seen
      if (!pattern[key]) {
        var mask = maskAt(header.support), gone = decode(shown).mask;
        pattern[key] = paint(function (i) { return has(mask, i) && !has(gone, i) ? 0xff000000 : 0; });
      }
      return pattern[key];
    }
    function hatch(looks, ground, down) { // looks: colour and shift of the lines of a tile
      var tile = document.createElement("canvas"), k = Math.round(7 * dense), ink;
      tile.width = tile.height = k;
      ink = tile.getContext("2d");
      if (ground) { ink.fillStyle = ground; ink.fillRect(0, 0, k, k); }
      ink.lineWidth = dense;
      looks.forEach(function (look) {
        ink.strokeStyle = look[0];
        for (var shift = -k + look[1] * dense; shift <= k + 1; shift += k) {
          ink.beginPath();
          ink.moveTo(shift - 1, down ? -1 : k + 1); ink.lineTo(shift + k + 1, down ? k + 1 : -1);
          ink.stroke();
        }
      });
      return pen.createPattern(tile, "repeat");
    }

    // ---- view ----------------------------------------------------------------------------------

    function inner() { return { left: MARGIN.left, top: MARGIN.top, width: Math.max(size[0] - MARGIN.left - MARGIN.right, 20), height: Math.max(size[1] - MARGIN.top - MARGIN.bottom, 20) }; }
    function project(x, y) {
      var box = inner();
      return [box.left + box.width / 2 + (x - view.x) / view.scale, box.top + box.height / 2 - (y - view.y) / view.scale];
    }
    function unproject(px, py) {
      var box = inner();
      return [view.x + (px - box.left - box.width / 2) * view.scale, view.y - (py - box.top - box.height / 2) * view.scale];
    }
    var angle = frame.rotation * Math.PI / 180, cos = Math.cos(angle), sin = Math.sin(angle);
    function fromAxes(a, b) { // along the grid's own axes to metres from the middle
      var u = a - frame.pivot[0], v = b - frame.pivot[1];
      return [frame.pivot[0] + u * cos + v * sin - header.origin[0], frame.pivot[1] + v * cos - u * sin - header.origin[1]];
    }
    function toAxes(x, y) {
      var u = x + header.origin[0] - frame.pivot[0], v = y + header.origin[1] - frame.pivot[1];
      return [frame.pivot[0] + u * cos - v * sin, frame.pivot[1] + v * cos + u * sin];
    }
    var corners = [[frame.corner[0], frame.corner[1]], [frame.ends[0], frame.corner[1]], [frame.ends[0], frame.ends[1]], [frame.corner[0], frame.ends[1]]].map(function (own) { return fromAxes(own[0], own[1]); });
    var reach = { west: Math.min.apply(null, corners.map(function (c) { return c[0]; })), east: Math.max.apply(null, corners.map(function (c) { return c[0]; })), south: Math.min.apply(null, corners.map(function (c) { return c[1]; })), north: Math.max.apply(null, corners.map(function (c) { return c[1]; })) };

    function cellAt(x, y) {
      var own = toAxes(x, y), column = Math.floor((own[0] - frame.corner[0]) / frame.size[0]), row = Math.floor((own[1] - frame.corner[1]) / frame.size[1]);
      var isInside = own[0] <= frame.ends[0] && own[1] <= frame.ends[1] && column >= 0 && row >= 0 && column < columns && row < rows;
      return isInside ? row * columns + column : -1;
    }
    function middleOf(cell) { return fromAxes(frame.corner[0] + (cell % columns + 0.5) * frame.size[0], frame.corner[1] + (Math.floor(cell / columns) + 0.5) * frame.size[1]); }
    function degreesAt(x, y) {
      var d = header.degrees;
      if (!d) { return null; }
      var u = (x + header.origin[0] - d.middle[0]) / d.half, v = (y + header.origin[1] - d.middle[1]) / d.half, lon = 0, lat = 0;
      if (Math.abs(u) > 1 || Math.abs(v) > 1) { return null; }
      d.powers.forEach(function (power, k) {
        var term = Math.pow(u, power[0]) * Math.pow(v, power[1]);
        lon += d.lon[k] * term; lat += d.lat[k] * term;
      });
      return [lon, lat];
    }
    function whereWords(x, y) {
      var at = degreesAt(x, y), place = "E " + metres(Math.round(x + header.origin[0])) + "  N " + metres(Math.round(y + header.origin[1])) + " m";
      return at ? place + "  ·  " + Math.abs(at[1]).toFixed(5) + "° " + (at[1] < 0 ? "S" : "N") + "  " + Math.abs(at[0]).toFixed(5) + "° " + (at[0] < 0 ? "W" : "E") : place;
    }
    function showAll(box) {
      var own = inner(), room = box ? 0.45 : 1;
      box = box || reach;
      view.x = (box.west + box.east) / 2; view.y = (box.south + box.north) / 2;
      view.scale = Math.max((box.east - box.west) / own.width, (box.north - box.south) / own.height) / room;
      if (room === 1) { fitted = view.scale; }
      view.scale = Math.max(view.scale, frame.size[0] / 60);
      ask();
    }

    // ---- frame ---------------------------------------------------------------------------------

    function ask() {
      if (asked) { return; }
      asked = true;
      requestAnimationFrame(function () { asked = false; draw(); });
    }
    function resize() {
      var isFirst = size[0] === 1, wide = stage.clientWidth, high = stage.clientHeight;
      dense = window.devicePixelRatio || 1;
      if (!wide || !high) { return; }
      var isWhole = !isFirst && Math.abs(view.scale - fitted) < 1e-9 * fitted;
      canvas.width = Math.round(wide * dense); canvas.height = Math.round(high * dense);
      size = [wide, high];
      pattern.nodata = hatch([["#b9c1c8", 0]], "#eceef0", false);
      pattern.bare = hatch([["rgba(29,39,51,.8)", 0], ["rgba(255,255,255,.6)", 1.6]], "", true); // seen on dark and on bright
      if (isFirst || isWhole) { showAll(); }
      draw();
    }
    function placeRaster(ink, scale) { // canvas units become cells of the picture, its first row north
      var a = project.apply(null, fromAxes(frame.corner[0], frame.corner[1] + rows * frame.size[1]));
      var b = project.apply(null, fromAxes(frame.corner[0] + columns * frame.size[0], frame.corner[1] + rows * frame.size[1]));
      var c = project.apply(null, fromAxes(frame.corner[0], frame.corner[1]));
      ink.setTransform(scale * (b[0] - a[0]) / columns, scale * (b[1] - a[1]) / columns, scale * (c[0] - a[0]) / rows, scale * (c[1] - a[1]) / rows, scale * a[0], scale * a[1]);
      ink.imageSmoothingEnabled = frame.size[0] / view.scale * scale < 1;
      ink.imageSmoothingQuality = "high";
    }
    function pathOf(points) {
      pen.beginPath();
      points.forEach(function (own, k) { var p = project(own[0], own[1]); if (k) { pen.lineTo(p[0], p[1]); } else { pen.moveTo(p[0], p[1]); } });
      pen.closePath();
    }
    function drawLayer(layer, opacity) {
      pen.save();
      placeRaster(pen, dense);
      pen.globalAlpha = opacity;
      pen.drawImage(pictureOf(layer), 0, 0);
      pen.restore();
    }
    function drawCells() {
      pen.save();
      pathOf(corners);
      pen.clip();
      pen.fillStyle = pattern.nodata;
      pen.setTransform(1, 0, 0, 1, 0, 0);
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.setTransform(dense, 0, 0, dense, 0, 0);
      var isSwiped = other && state.mode === "swipe", edge = MARGIN.left + inner().width * state.share;
      (isSwiped ? [[shown, 0, edge], [other, edge, size[0]]] : [[shown, 0, size[0]]]).forEach(function (part) {
        pen.save();
        pen.beginPath(); pen.rect(part[1], 0, part[2] - part[1], size[1]); pen.clip();
        pen.save(); placeRaster(pen, dense); pen.drawImage(paperOf(part[0]), 0, 0); pen.restore();
        if (other && !isSwiped) { drawLayer(other, 1); }
        drawLayer(part[0], state.opacity);
        pen.restore();
      });
      if (header.support !== null && state.veil !== false) { drawVeil(); }
      pen.restore();
    }
    function drawVeil() {
      var sheet = pattern.sheet = pattern.sheet || document.createElement("canvas"), ink = sheet.getContext("2d");
      if (sheet.width !== canvas.width || sheet.height !== canvas.height) { sheet.width = canvas.width; sheet.height = canvas.height; }
      ink.setTransform(1, 0, 0, 1, 0, 0); ink.globalCompositeOperation = "copy";
      placeRaster(ink, dense); ink.imageSmoothingEnabled = false; ink.drawImage(veil(), 0, 0);
      ink.setTransform(1, 0, 0, 1, 0, 0); ink.globalCompositeOperation = "source-in";
      ink.fillStyle = pattern.bare; ink.fillRect(0, 0, sheet.width, sheet.height);
      pen.save(); pen.setTransform(1, 0, 0, 1, 0, 0); pen.drawImage(sheet, 0, 0); pen.restore();
    }
    function draw() {
      if (size[0] === 1) { return; }
      var box = inner();
      pen.setTransform(dense, 0, 0, dense, 0, 0);
      pen.fillStyle = "#fff"; pen.fillRect(0, 0, size[0], size[1]);
      pen.save();
      pen.beginPath(); pen.rect(box.left, box.top, box.width, box.height); pen.clip();
      pen.fillStyle = "#f7f8f9"; pen.fillRect(box.left, box.top, box.width, box.height);
      drawCells();
      taken = [];
      drawTicks(box, true);
      header.lines.forEach(drawLines);
      header.polygons.forEach(drawPolygons);
      header.points.forEach(drawPoints);
      drawPicked();
      header.polygons.forEach(drawNumbers);
      header.points.forEach(drawNames);
      drawScaleBar(box); drawNorth(box);
      if (crosshair) { drawCross(box); }
      pen.restore();
      drawTicks(box, false);
      pen.strokeStyle = QUIET; pen.lineWidth = 1; pen.strokeRect(box.left - 0.5, box.top - 0.5, box.width + 1, box.height + 1);
      divider.style.left = (box.left + box.width * state.share) + "px";
      divider.style.top = box.top + "px"; divider.style.bottom = MARGIN.bottom + "px";
    }
    function drawTicks(box, isLines) {
      if (isLines && !state.lines) { return; }
      var step = niceStep(75 * view.scale, 1), low = unproject(box.left, box.top + box.height), high = unproject(box.left + box.width, box.top), k, p, at;
      pen.strokeStyle = isLines ? "rgba(29,39,51,.22)" : QUIET; pen.fillStyle = QUIET; pen.lineWidth = 1;
      pen.font = "11px " + FONT; pen.textAlign = "center";
      for (k = Math.ceil((low[0] + header.origin[0]) / step); k * step <= high[0] + header.origin[0]; k++) {
        p = Math.round(project(k * step - header.origin[0], 0)[0]) + 0.5; at = box.top + box.height;
        pen.beginPath(); pen.moveTo(p, isLines ? box.top : at); pen.lineTo(p, isLines ? at : at + 5); pen.stroke();
        if (!isLines && p > box.left + 26 && p < box.left + box.width - 22) { pen.textBaseline = "top"; pen.fillText(metres(k * step), p, at + 8); }
      }
      for (k = Math.ceil((low[1] + header.origin[1]) / step); k * step <= high[1] + header.origin[1]; k++) {
        p = Math.round(project(0, k * step - header.origin[1])[1]) + 0.5;
        pen.beginPath(); pen.moveTo(isLines ? box.left + box.width : box.left - 5, p); pen.lineTo(box.left, p); pen.stroke();
        if (isLines || p < box.top + 32 || p > box.top + box.height - 32) { continue; }
        pen.save(); pen.translate(box.left - 9, p); pen.rotate(-Math.PI / 2); pen.textBaseline = "bottom"; pen.fillText(metres(k * step), 0, 0); pen.restore();
      }
    }
    function plate(x, y, wide, high) { pen.fillStyle = "rgba(255,255,255,.9)"; pen.beginPath(); pen.roundRect ? pen.roundRect(x, y, wide, high, 4) : pen.rect(x, y, wide, high); pen.fill(); }
    function drawScaleBar(box) {
      var raw = view.scale * Math.min(210, box.width / 2.4), power = Math.pow(10, Math.floor(Math.log10(raw)));
      var step = power * [5, 4, 2, 1].find(function (k) { return k * power <= raw; });
      var wide = step / view.scale, x = box.left + 18, y = box.top + box.height - 16, inKm = step >= 1000;
      var words = [0, step / 2, step].map(function (v) { return written(inKm ? v / 1000 : v); });
      plate(x - 11, y - 23, wide + 46, 33);
      pen.fillStyle = INK; pen.fillRect(x, y - 3, wide, 6); pen.fillStyle = "#fff"; pen.fillRect(x + wide / 2, y - 1.8, wide / 2 - 1.2, 3.6);
      pen.fillStyle = INK; pen.font = "11px " + FONT; pen.textBaseline = "bottom"; pen.textAlign = "center";
      pen.fillText(words[0], x, y - 5); pen.fillText(words[1], x + wide / 2, y - 5); pen.fillText(words[2], x + wide, y - 5);
      pen.textAlign = "left"; pen.textBaseline = "middle"; pen.fillText(inKm ? "km" : "m", x + wide + 6, y + 1);
    }
    function drawNorth(box) {
      var x = box.left + box.width - 24, y = box.top + 14;
      plate(x - 15, y - 8, 30, 52);
      pen.font = "700 12px " + FONT; pen.textAlign = "center"; pen.textBaseline = "top"; pen.fillStyle = INK; pen.fillText("N", x, y - 5);
      pen.beginPath(); pen.moveTo(x, y + 9); pen.lineTo(x + 8, y + 38); pen.lineTo(x, y + 31); pen.closePath(); pen.fillStyle = "#fff"; pen.fill();
      pen.strokeStyle = INK; pen.lineWidth = 1.2; pen.stroke();
      pen.beginPath(); pen.moveTo(x, y + 9); pen.lineTo(x - 8, y + 38); pen.lineTo(x, y + 31); pen.closePath(); pen.fillStyle = INK; pen.fill(); pen.stroke();
    }
    function drawCross(box) {
      var x = box.left + box.width / 2, y = box.top + box.height / 2;
      [["#fff", 4], [INK, 1.6]].forEach(function (look) {
        pen.strokeStyle = look[0]; pen.lineWidth = look[1];
        pen.beginPath(); [[1, 0], [-1, 0], [0, 1], [0, -1]].forEach(function (way) { pen.moveTo(x + 4 * way[0], y + 4 * way[1]); pen.lineTo(x + 15 * way[0], y + 15 * way[1]); }); pen.stroke();
      });
    }

    // ---- marks ---------------------------------------------------------------------------------

    var taken = [];
    function claim(x, y, wide, high) { // whether no other words stand there
      var isFree = taken.every(function (own) { return x > own[0] + own[2] || x + wide < own[0] || y > own[1] + own[3] || y + high < own[1]; });
      if (isFree) { taken.push([x, y, wide, high]); }
      return isFree;
    }
    function unpackShapes() {
      header.points.forEach(function (set) { set.xy = floatsOf(store, set.places); set.n = set.labels.length; });
      header.lines.forEach(function (set) {
        var xy = floatsOf(store, set.places), at = 0;
        set.parts = set.lengths.map(function (length) { var part = xy.subarray(2 * at, 2 * (at + length)); at += length; return part; });
      });
      header.polygons.forEach(function (set) {
        var xy = floatsOf(store, set.places), at = 0;
        set.middle = floatsOf(store, set.middles);
        set.rings = set.lengths.map(function (lengths) { return lengths.map(function (length) { var part = xy.subarray(2 * at, 2 * (at + length)); at += length; return part; }); });
        set.boxes = set.rings.map(function (rings) {
          var box = { west: Infinity, east: -Infinity, south: Infinity, north: -Infinity };
          rings.forEach(function (ring) { for (var i = 0; i < ring.length; i += 2) { box.west = Math.min(box.west, ring[i]); box.east = Math.max(box.east, ring[i]); box.south = Math.min(box.south, ring[i + 1]); box.north = Math.max(box.north, ring[i + 1]); } });
          return box;
        });
      });
    }
    function trace(xy, isClosed) {
      for (var i = 0; i < xy.length; i += 2) {
        var p = project(xy[i], xy[i + 1]);
        if (i) { pen.lineTo(p[0], p[1]); } else { pen.moveTo(p[0], p[1]); }
      }
      if (isClosed) { pen.closePath(); }
    }
    function drawLines(set) {
      if (!set.visible) { return; }
      pen.lineJoin = "round"; pen.lineCap = "butt";
      [["rgba(255,255,255,.7)", 3.2, []], [set.colour, 1.5, DASHES[set.dash]]].forEach(function (look) {
        pen.strokeStyle = look[0]; pen.lineWidth = look[1]; pen.setLineDash(look[2]);
        pen.beginPath(); set.parts.forEach(function (part) { trace(part, false); }); pen.stroke();
      });
      pen.setLineDash([]);
    }
    function outline(set, i, colour, wide) {
      pen.lineJoin = "round";
      [["#fff", wide + 2.2, []], [colour, wide, DASHES[set.dash]]].forEach(function (look) {
        pen.strokeStyle = look[0]; pen.lineWidth = look[1]; pen.setLineDash(look[2]);
        pen.beginPath(); set.rings[i].forEach(function (ring) { trace(ring, true); }); pen.stroke();
      });
      pen.setLineDash([]);
    }
    function drawPolygons(set) { if (set.visible) { set.rings.forEach(function (_, i) { outline(set, i, set.colour, 1.6); }); } }
    function drawNumbers(set) {
      if (!set.visible || !set.listed) { return; }
      pen.font = "700 11.5px " + FONT; pen.textAlign = "center"; pen.textBaseline = "middle";
      set.numbers.forEach(function (words, i) {
        var p = project(set.middle[2 * i], set.middle[2 * i + 1]), wide = pen.measureText(words).width + 8, box = set.boxes[i];
        var low = project(box.west, box.south), high = project(box.east, box.north), aside = wide / 2 + 4;
        var places = [p, [high[0] + aside, high[1] - 4], [low[0] - aside, high[1] - 4], [high[0] + aside, low[1] + 4], [low[0] - aside, low[1] + 4], [p[0], high[1] - 12], [p[0], low[1] + 12]];
        if (!isSeen(p)) { return; }
        p = places.find(function (own) { return claim(own[0] - wide / 2, own[1] - 8, wide, 16); }) || p; // a target is never without its number
        var isPicked = picked && picked.set === set && picked.i === i;
        plate(p[0] - wide / 2, p[1] - 8, wide, 16);
        pen.fillStyle = isPicked ? "#8f3f14" : INK; pen.fillText(words, p[0], p[1] + 0.5);
      });
    }
    function isSeen(p) { return p[0] > -20 && p[1] > -20 && p[0] < size[0] + 20 && p[1] < size[1] + 20; }
    function shape(ink, symbol, x, y, r) {
      var k, a;
      ink.beginPath();
      if (symbol === "circle") { ink.arc(x, y, r, 0, 7); }
      else if (symbol === "square") { ink.rect(x - 0.88 * r, y - 0.88 * r, 1.76 * r, 1.76 * r); }
      else if (symbol === "cross" || symbol === "plus") {
        var turned = symbol === "cross" ? Math.PI / 4 : 0, w = 0.36 * r, l = 1.2 * r;
        [[w, -l], [w, -w], [l, -w], [l, w], [w, w], [w, l], [-w, l], [-w, w], [-l, w], [-l, -w], [-w, -w], [-w, -l]].forEach(function (c, i) {
          var u = x + c[0] * Math.cos(turned) - c[1] * Math.sin(turned), v = y + c[0] * Math.sin(turned) + c[1] * Math.cos(turned);
          if (i) { ink.lineTo(u, v); } else { ink.moveTo(u, v); }
        });
        ink.closePath();
      } else {
        var parts = { triangle: 3, down: 3, diamond: 4, star: 10 }[symbol], first = symbol === "down" ? Math.PI / 2 : -Math.PI / 2;
        for (k = 0; k < parts; k++) {
          a = first + 2 * Math.PI * k / parts;
          var far = 1.22 * r * (symbol === "star" ? (k % 2 ? 0.52 : 1.15) : 1);
          if (k) { ink.lineTo(x + far * Math.cos(a), y + far * Math.sin(a)); } else { ink.moveTo(x + far * Math.cos(a), y + far * Math.sin(a)); }
        }
        ink.closePath();
      }
    }
    function mark(ink, set, x, y, r) {
      shape(ink, set.symbol, x, y, r);
      ink.lineJoin = "round";
      ink.strokeStyle = "#fff"; ink.lineWidth = 3.4; ink.stroke();
      ink.fillStyle = set.filled ? set.colour : "rgba(255,255,255,.92)"; ink.fill();
      ink.strokeStyle = set.filled ? INK : set.colour === "#ffffff" ? INK : set.colour; ink.lineWidth = set.filled ? 1.1 : 2; ink.stroke();
    }
    function radius(set) { return (set.n > 3000 ? 2.6 : set.n > 400 ? 3.8 : 5.2) * (size[0] < 520 ? 0.8 : 1); }
    function drawPoints(set) {
      if (!set.visible) { return; }
      var r = radius(set);
      for (var i = 0; i < set.n; i++) {
        var p = project(set.xy[2 * i], set.xy[2 * i + 1]);
        if (!isSeen(p)) { continue; }
        mark(pen, set, p[0], p[1], r);
        if (set.n <= 400) { taken.push([p[0] - r, p[1] - r, 2 * r, 2 * r]); } // no words on symbols
      }
    }
    function drawNames(set) {
      if (!set.visible) { return; }
      var seen = [], r = radius(set);
      for (var i = 0; i < set.n && seen.length <= 30; i++) {
        var p = project(set.xy[2 * i], set.xy[2 * i + 1]);
        if (isSeen(p)) { seen.push([i, p]); }
      }
      if (seen.length > 30) { return; } // names help only among few
      pen.font = "11px " + FONT; pen.textAlign = "left"; pen.textBaseline = "middle"; pen.lineJoin = "round";
      seen.forEach(function (own) {
        var words = set.labels[own[0]].slice(0, 28), wide = pen.measureText(words).width, x = own[1][0] + r + 5, y = own[1][1];
        if (!claim(x, y - 7, wide, 14)) { return; }
        pen.strokeStyle = "rgba(255,255,255,.92)"; pen.lineWidth = 3.2; pen.strokeText(words, x, y); pen.fillStyle = INK; pen.fillText(words, x, y);
      });
    }
    function drawPicked() {
      if (picked && picked.rings) { outline(picked.set, picked.i, "#D55E00", 3); }
      if (!pin) { return; }
      var p = project(pin[0], pin[1]);
      if (picked && picked.xy) {
        [["#fff", 4.5], [INK, 2]].forEach(function (look) { pen.strokeStyle = look[0]; pen.lineWidth = look[1]; pen.beginPath(); pen.arc(p[0], p[1], 11, 0, 7); pen.stroke(); });
      } else if (picked && picked.cell >= 0) {
        var a = frame.corner[0] + (picked.cell % columns) * frame.size[0], b = frame.corner[1] + Math.floor(picked.cell / columns) * frame.size[1];
        [["#fff", 4], [INK, 1.8]].forEach(function (look) {
          pathOf([fromAxes(a, b), fromAxes(a + frame.size[0], b), fromAxes(a + frame.size[0], b + frame.size[1]), fromAxes(a, b + frame.size[1])]);
          pen.strokeStyle = look[0]; pen.lineWidth = look[1]; pen.stroke();
        });
        if (frame.size[0] / view.scale < 9) { // a cell too small to be seen gets a ring round it
          [["#fff", 4], [INK, 1.8]].forEach(function (look) { pen.strokeStyle = look[0]; pen.lineWidth = look[1]; pen.beginPath(); pen.arc(p[0], p[1], 9, 0, 7); pen.stroke(); });
        }
      }
    }

    // ---- reading -------------------------------------------------------------------------------

    function pick(px, py, near) {
      var k, i, set, best = null, least = near * near;
      for (k = header.points.length - 1; k >= 0; k--) {
        set = header.points[k];
        for (i = 0; set.visible && i < set.n; i++) {
          var p = project(set.xy[2 * i], set.xy[2 * i + 1]), d = (p[0] - px) * (p[0] - px) + (p[1] - py) * (p[1] - py);
          if (d < least) { least = d; best = { set: set, i: i, xy: true }; }
        }
      }
      var at = unproject(px, py);
      if (best) { return best; }
      for (k = header.polygons.length - 1; k >= 0; k--) {
        set = header.polygons[k];
        for (i = 0; set.visible && i < set.rings.length; i++) { if (isWithin(set, i, at)) { return { set: set, i: i, rings: true, cell: cellAt(at[0], at[1]) }; } }
      }
      return { cell: cellAt(at[0], at[1]) };
    }
    function isWithin(set, i, at) {
      var box = set.boxes[i], isIn = false;
      if (at[0] < box.west || at[0] > box.east || at[1] < box.south || at[1] > box.north) { return false; }
      set.rings[i].forEach(function (ring) {
        for (var a = 0, b = ring.length - 2; a < ring.length; b = a, a += 2) {
          if ((ring[a + 1] > at[1]) !== (ring[b + 1] > at[1]) && at[0] < ring[a] + (at[1] - ring[a + 1]) / (ring[b + 1] - ring[a + 1]) * (ring[b] - ring[a])) { isIn = !isIn; }
        }
      });
      return isIn;
    }
    function isBare(cell) { return header.support !== null && cell >= 0 && Boolean(has(maskAt(header.support), cell)); }
    function rankWords(layer, cell) {
      var rank = 100 * rankAt(layer, cell);
      return layer.classes || isNaN(rank) ? "" : "higher than " + (rank > 99 || rank < 1 ? rank.toFixed(1) : rank.toFixed(0)) + " % of cells";
    }
    function ofGroup(name) { return layers.filter(function (layer) { return layer.group === name; }); }
    function readAt(cell) { // the shown layers, then scores and trust
      var told = [shown].concat(other ? [other] : []);
      ofGroup("Prospectivity").concat(ofGroup("Trust")).forEach(function (layer) { if (told.indexOf(layer) < 0) { told.push(layer); } });
      return told.map(function (layer) { return [layer.title, toldAt(layer, cell), layer]; });
    }
    function reasonsAt(cell) {
      return ofGroup("Attribution").map(function (layer) { return [layer.name, valueAt(layer, cell)]; }).filter(function (own) { return isFinite(own[1]); })
        .sort(function (a, b) { return Math.abs(b[1]) - Math.abs(a[1]); }).slice(0, 8);
    }
    function outstandingAt(cell) { // elements whose value few cells reach
      var own = ofGroup("Elements").filter(function (layer) { return !layer.classes; });
      if (own.length * n > 3e7) { return []; } // would unpack too much at once
      return own.map(function (layer) { return [layer, rankAt(layer, cell)]; }).filter(function (pair) { return pair[1] >= 0.9; })
        .sort(function (a, b) { return b[1] - a[1]; }).slice(0, 6);
    }
    function showHint(at, px, py) {
      hint.hidden = !at;
      if (!at) { return; }
      hint.textContent = "";
      if (at.set) { hint.append(element("b", at.set.labels[at.i])); }
      if (at.set && at.xy) {
        at.set.facts.slice(0, 3).forEach(function (fact) { hint.append(pairRow(fact[0], fact[1][at.i])); });
      } else {
        readAt(at.cell).slice(0, other ? 6 : 5).forEach(function (row) { hint.append(pairRow(row[0], row[1])); });
        if (isBare(at.cell)) { hint.append(element("em", "Not supported by samples")); }
      }
      var left = px + 16 + hint.offsetWidth > size[0] ? px - 12 - hint.offsetWidth : px + 16;
      var top = py + 16 + hint.offsetHeight > size[1] ? py - 10 - hint.offsetHeight : py + 16;
      hint.style.transform = "translate(" + Math.max(left, 2) + "px," + Math.max(top, 2) + "px)";
    }
    function pairRow(name, value) {
      var row = element("div", undefined, "gm-row");
      row.append(element("span", name), element("span", value));
      return row;
    }
    function say(words) { find("gm-said").textContent = words; }

    function choose(found, options) {
      var card = find("gm-picked");
      picked = found && (found.set || found.cell >= 0) ? found : null;
      pin = !picked ? null : picked.xy ? [picked.set.xy[2 * picked.i], picked.set.xy[2 * picked.i + 1]] : picked.rings ? [picked.set.middle[2 * picked.i], picked.set.middle[2 * picked.i + 1]] : middleOf(picked.cell);
      card.hidden = !picked;
      card.textContent = "";
      if (picked) { fillCard(card); if (!(options && options.quiet)) { panel.scrollTop = 0; } }
      root.querySelectorAll(".gm-list button").forEach(function (button) {
        button.setAttribute("aria-current", String(Boolean(picked && picked.rings && button.set === picked.set && button.i === picked.i)));
      });
      ask();
    }
    function fillCard(card) {
      var close = element("button", "×", "gm-close"), cell = picked.xy ? cellAt(pin[0], pin[1]) : picked.cell;
      close.type = "button"; close.setAttribute("aria-label", "Close");
      close.addEventListener("click", function () { choose(null); canvas.focus(); });
      card.append(close, element("h2", picked.set ? picked.set.labels[picked.i] : "Cell"));
      if (picked.set) {
        addFacts(card, picked.set.facts.map(function (fact) { return [fact[0], fact[1][picked.i]]; }));
        var why = picked.rings && picked.set.why[picked.i];
        if (why && why.length) { card.append(element("h3", "Why")); card.append(typeof why === "string" ? element("p", why) : bars(why)); }
      }
      if (!picked.rings) { addCell(card, cell); }
      card.append(element("p", whereWords(pin[0], pin[1]), "gm-place"));
      if (picked.set) {
        var go = element("button", "Zoom here", "gm-go");
        go.type = "button";
        go.addEventListener("click", function () { zoomTo(picked); });
        card.append(go);
      }
      if (picked.rings) { addSteps(card); }
    }
    function addSteps(card) {
      [[-1, "Previous"], [1, "Next"]].forEach(function (own) {
        var button = element("button", own[1], "gm-go"), set = picked.set, i = picked.i + own[0];
        button.type = "button"; button.disabled = i < 0 || i >= set.rings.length;
        button.addEventListener("click", function () { choose({ set: set, i: i, rings: true }); zoomTo(picked); });
        card.append(button);
      });
    }
    function addCell(card, cell) {
      if (cell < 0) { card.append(element("p", "Outside the map.")); return; }
      if (picked.set) { card.append(element("h3", "Its cell")); }
      addFacts(card, readAt(cell).map(function (row) { return [row[0], row[1]]; }));
      if (rankWords(shown, cell)) { card.append(element("p", shown.title + ": " + rankWords(shown, cell) + ".")); }
      if (isBare(cell)) { card.append(element("p", "Not supported by samples: extrapolated.", "gm-warn")); }
      var reasons = reasonsAt(cell), high = outstandingAt(cell);
      if (reasons.length) { card.append(element("h3", "Why: largest contributions")); card.append(bars(reasons)); }
      if (high.length) {
        card.append(element("h3", "High here"));
        addFacts(card, high.map(function (own) { return [own[0].name, toldAt(own[0], cell) + "  (> " + (100 * own[1]).toFixed(own[1] > 0.99 ? 1 : 0) + " %)"]; }));
      }
    }
    function addFacts(card, facts) {
      var list = element("dl");
      facts.forEach(function (fact) { list.append(element("dt", fact[0]), element("dd", fact[1])); });
      card.append(list);
    }
    function bars(pairs) {
      var box = element("div", undefined, "gm-bars"), most = Math.max.apply(null, pairs.map(function (own) { return Math.abs(own[1]); })) || 1, ramp = header.ramps.departure;
      pairs.forEach(function (own) {
        var line = element("i"), bar = element("b"), wide = 50 * Math.abs(own[1]) / most;
        bar.style.left = (own[1] < 0 ? 50 - wide : 50) + "%"; bar.style.width = wide + "%"; bar.style.background = own[1] < 0 ? ramp[40] : ramp[215];
        line.append(bar);
        box.append(element("span", own[0]), line, element("span", (own[1] > 0 ? "+" : "") + written(own[1])));
      });
      return box;
    }
    function zoomTo(found) {
      if (found.rings) { showAll(found.set.boxes[found.i]); return; }
      view.x = pin[0]; view.y = pin[1]; view.scale = Math.min(view.scale, 20 * frame.size[0] / inner().width * 2);
      ask();
    }

    // ---- panel ---------------------------------------------------------------------------------

    function section(title, name) {
      var own = element("section", undefined, name);
      own.append(element("h2", title));
      find("gm-controls").append(own);
      return own;
    }
    function chooser(label, none, onChange) {
      var select = element("select"), groups = {};
      select.setAttribute("aria-label", label);
      if (none) { select.append(new Option(none, "")); }
      layers.forEach(function (layer, i) {
        if (!groups[layer.group]) { groups[layer.group] = element("optgroup"); groups[layer.group].label = layer.group; select.append(groups[layer.group]); }
        groups[layer.group].append(new Option(layer.name + (layer.unit ? " [" + layer.unit + "]" : ""), String(i)));
      });
      select.addEventListener("change", function () { onChange(select.value === "" ? null : layers[Number(select.value)]); });
      return select;
    }
    function line(label, control) {
      var row = element("div", undefined, "gm-line");
      row.append(element("span", label), control);
      return row;
    }
    function radios(label, options, value, onChange) {
      var box = element("div", undefined, "gm-group"), name = root.id + "-" + label.toLowerCase();
      box.setAttribute("role", "radiogroup"); box.setAttribute("aria-label", label);
      box.inputs = options.map(function (own) {
        var one = element("label"), input = element("input");
        input.type = "radio"; input.name = name; input.value = own[0]; input.checked = own[0] === value;
        input.addEventListener("change", function () { onChange(own[0]); });
        one.append(input, element("span", own[1]));
        box.append(one);
        return input;
      });
      return box;
    }
    function range(label, low, high, step, value, tell, onInput) {
      var row = element("div", undefined, "gm-line"), input = element("input"), said = element("output");
      input.type = "range"; input.min = low; input.max = high; input.step = step; input.value = value;
      input.setAttribute("aria-label", label);
      var refresh = function () { said.textContent = tell(Number(input.value)); input.setAttribute("aria-valuetext", said.textContent); };
      input.addEventListener("input", function () { onInput(Number(input.value)); refresh(); ask(); });
      refresh();
      row.append(element("span", label), input, said);
      return row;
    }
    function fillPanel() {
      var own = section("Layer"), row = element("div", undefined, "gm-choose");
      controls.layer = chooser("Layer", "", show);
      [["‹", -1, "Layer before ([)"], ["›", 1, "Next layer (])"]].forEach(function (way) {
        var button = element("button", way[0]);
        button.type = "button"; button.title = way[2]; button.setAttribute("aria-label", way[2]);
        button.addEventListener("click", function () { step(way[1]); });
        if (way[1] < 0) { row.append(button, controls.layer); } else { row.append(button); }
      });
      controls.note = element("p", "", "gm-note");
      controls.stretch = radios("Colours", [["linear", "Linear"], ["log", "Log"], ["percentile", "Percentile"]], shown.stretch, function (value) { shown.stretch = value; refreshLegend(); ask(); });
      own.append(row, controls.note, line("Colours", controls.stretch));
      own.append(range("Only highest", 0, BEST.length - 1, 1, 0, function (k) { return k ? BEST[k] + " %" : "all"; }, function (k) { state.best = BEST[k]; refreshLegend(); }));
      own.append(range("Opacity", 0, 1, 0.05, 1, function (v) { return Math.round(100 * v) + " %"; }, function (v) { state.opacity = v; }));
      own = section("Compare");
      controls.other = chooser("Second layer", "none", compare);
      controls.mode = radios("How", [["swipe", "Swipe"], ["under", "Beneath"]], "swipe", function (value) { setMode(value); });
      controls.how = line("How", controls.mode);
      own.append(line("With", controls.other), controls.how);
      fillToggles(section("On the map"));
      header.polygons.filter(function (set) { return set.listed && set.labels.length; }).forEach(fillList);
      var notes = header.notes.slice();
      notes.push("North is up; coordinates are metres" + (header.crs ? " of " + header.crs : "") + ". A cell is " + metres(frame.size[0]) + (Math.abs(frame.size[0] - frame.size[1]) > 1e-6 * frame.size[0] ? " x " + metres(frame.size[1]) : "") + " m wide.");
      notes.forEach(function (note) { find("gm-notes").append(element("p", note)); });
    }
    function toggle(own, name, count, isOn, draw, onChange) {
      var row = element("label", undefined, "gm-toggle"), box = element("input"), sample = element("canvas"), ink = sample.getContext("2d");
      box.type = "checkbox"; box.checked = isOn;
      sample.width = 48; sample.height = 36; sample.setAttribute("aria-hidden", "true");
      ink.scale(2, 2); draw(ink);
      box.addEventListener("change", function () { onChange(box.checked); ask(); });
      row.append(box, sample, element("span", name, "gm-name"), element("span", count, "gm-count"));
      own.append(row);
    }
    function fillToggles(own) {
      header.points.forEach(function (set) { toggle(own, set.name, set.n.toLocaleString("en-US"), set.visible, function (ink) { mark(ink, set, 12, 9, 5.2); }, function (isOn) { set.visible = isOn; }); });
      header.polygons.forEach(function (set) { toggle(own, set.name, set.labels.length.toLocaleString("en-US"), set.visible, function (ink) { ink.strokeStyle = set.colour; ink.lineWidth = 1.6; ink.setLineDash(DASHES[set.dash]); ink.strokeRect(3, 3, 18, 12); }, function (isOn) { set.visible = isOn; }); });
      header.lines.forEach(function (set) { toggle(own, set.name, set.parts.length.toLocaleString("en-US"), set.visible, function (ink) { ink.strokeStyle = set.colour; ink.lineWidth = 1.6; ink.setLineDash(DASHES[set.dash]); ink.beginPath(); ink.moveTo(1, 14); ink.lineTo(9, 7); ink.lineTo(23, 4); ink.stroke(); }, function (isOn) { set.visible = isOn; }); });
      if (header.support !== null) {
        toggle(own, "Not supported by samples", "", true, function (ink) { ink.strokeStyle = INK; ink.strokeRect(3, 3, 18, 12); ink.beginPath(); ink.rect(3, 3, 18, 12); ink.clip(); for (var k = -12; k < 24; k += 5) { ink.moveTo(k, 2); ink.lineTo(k + 14, 16); } ink.stroke(); }, function (isOn) { state.veil = isOn; refreshLegend(); });
      }
      toggle(own, "Lines of the coordinates", "", true, function (ink) { ink.strokeStyle = QUIET; ink.beginPath(); [6, 12, 18].forEach(function (x) { ink.moveTo(x, 1); ink.lineTo(x, 17); }); ink.moveTo(2, 6); ink.lineTo(22, 6); ink.moveTo(2, 12); ink.lineTo(22, 12); ink.stroke(); }, function (isOn) { state.lines = isOn; });
    }
    function fillList(set) {
      var own = section(set.name), list = element("ul", undefined, "gm-list"), told = set.facts.filter(function (fact) { return fact[0] !== "Level"; }).slice(0, 2);
      set.labels.forEach(function (label, i) {
        var item = element("li"), button = element("button");
        button.type = "button"; button.set = set; button.i = i;
        button.append(element("span", set.numbers[i], "gm-number"), element("span", label), element("small", told.map(function (fact) { return fact[0] + " " + fact[1][i]; }).join(" · ")));
        button.addEventListener("click", function () { choose({ set: set, i: i, rings: true }); zoomTo(picked); });
        item.append(button); list.append(item);
      });
      own.append(list);
    }
    function show(layer) {
      shown = layer;
      showHint(null);
      controls.layer.value = String(layers.indexOf(layer));
      controls.note.textContent = layer.note; controls.note.hidden = !layer.note;
      controls.stretch.inputs.forEach(function (input) {
        input.disabled = Boolean(layer.classes) || (input.value !== "percentile" && !(layer.scales && layer.scales[input.value]));
        input.checked = input.value === layer.stretch;
      });
      refreshLegend();
      if (picked) { choose(picked, { quiet: true }); }
      ask();
    }
    function step(way) { show(layers[(layers.indexOf(shown) + way + layers.length) % layers.length]); say(shown.title); }
    function compare(layer) {
      other = layer;
      controls.other.value = layer ? String(layers.indexOf(layer)) : "";
      setMode(state.mode);
      if (picked) { choose(picked, { quiet: true }); }
    }
    function setMode(mode) {
      state.mode = mode;
      controls.mode.inputs.forEach(function (input) { input.checked = input.value === mode; });
      controls.how.hidden = !other;
      divider.hidden = !other || mode !== "swipe";
      refreshLegend();
      ask();
    }
    function setShare(share) {
      state.share = Math.min(1, Math.max(0, share));
      divider.setAttribute("aria-valuenow", String(Math.round(100 * state.share)));
      ask();
    }

    // ---- legend --------------------------------------------------------------------------------

    function ticksOf(layer) { // value, place from 0 to 1
      if (layer.stretch === "percentile") { return [0.25, 0.5, 0.75].map(function (share) { return [quantile(layer, share), share]; }); }
      var ends = layer.scales[layer.stretch], low = ends[0], high = ends[1], found = [], k;
      if (layer.stretch === "log") {
        var decades = Math.log10(high / low), parts = decades > 2.5 ? [1] : decades > 1.2 ? [1, 3] : [1, 2, 5];
        for (k = Math.floor(Math.log10(low)); k <= Math.log10(high); k++) { parts.forEach(function (part) { found.push(part * Math.pow(10, k)); }); }
      } else {
        var gap = niceStep(high - low || 1, 5);
        for (k = Math.ceil(low / gap); k * gap <= high; k++) { found.push(Number((k * gap).toPrecision(12))); }
      }
      return found.filter(function (v) { return v >= low && v <= high; }).map(function (v) { return [v, shareOf(layer, v)]; });
    }
    function endsOf(layer) {
      if (layer.stretch === "percentile") { return [written(layer.ends[0]), written(layer.ends[1])]; }
      var ends = layer.scales[layer.stretch], near = function (v) { return written(Number(v.toPrecision(3))); };
      return [(layer.ends[0] < ends[0] - 1e-9 * Math.abs(ends[0]) ? "≤ " : "") + near(ends[0]), (layer.ends[1] > ends[1] + 1e-9 * Math.abs(ends[1]) ? "≥ " : "") + near(ends[1])];
    }
    function titleOf(layer) {
      return [layer.title, [layer.unit, layer.classes ? "" : layer.stretch === "log" ? "log colours" : layer.stretch === "percentile" ? "as much ground each colour" : ""].filter(Boolean).join(", ")];
    }
    function legendOf(layer, side) {
      var box = element("div", undefined, "gm-legend"), words = titleOf(layer), title = element("div", (side || "") + words[0], "gm-title"), more = element("div", undefined, "gm-more");
      if (words[1]) { title.append(element("span", " [" + words[1] + "]")); }
      box.append(title);
      if (layer.classes) {
        var swatches = element("div", undefined, "gm-swatches");
        layer.classes.forEach(function (own) { var one = element("span"), patch = element("i"); patch.style.background = own[2]; one.append(patch, own[1]); swatches.append(one); });
        box.append(swatches);
      } else if (layer.known) {
        var bar = element("div", undefined, "gm-ramp"), ticks = element("div", undefined, "gm-ticks"), ends = endsOf(layer);
        bar.style.background = "linear-gradient(to right," + header.ramps[layer.ramp].filter(function (_, k) { return k % 5 === 0; }).join(",") + ")";
        var marks = ticksOf(layer).filter(function (tick) { return tick[1] > 0.06 + 0.022 * ends[0].length && tick[1] < 0.94 - 0.022 * ends[1].length; });
        [[ends[0], 0, "first"]].concat(marks.map(function (tick) { return [written(tick[0]), tick[1], ""]; }), [[ends[1], 1, "last"]]).forEach(function (tick) {
          var own = element("span", tick[0], tick[2]);
          own.style.left = (100 * tick[1]).toFixed(2) + "%";
          ticks.append(own);
        });
        bar.setAttribute("role", "img"); bar.setAttribute("aria-label", words[0] + " from " + withUnit(ends[0], layer.unit) + " to " + withUnit(ends[1], layer.unit) + (words[1] ? ", " + words[1] : ""));
        box.append(bar, ticks);
      }
      addMore(more, layer);
      box.append(more);
      return box;
    }
    function addMore(more, layer) {
      var add = function (name, words, colour) { var one = element("span"), patch = element("i", undefined, name); if (colour) { patch.style.background = colour; } one.append(patch, words); more.append(one); };
      if (layer.n_missing) { add("gm-nodata", "no data"); }
      if (header.support !== null && state.veil !== false) { add("gm-bare", "not supported by samples"); }
      if (layer === shown && state.best < 100 && !layer.classes) { add("", "below the highest " + state.best + " % (" + withUnit(written(quantile(layer, 1 - state.best / 100)), layer.unit) + ")", "#eceded"); }
    }
    function refreshLegend() {
      var box = find("gm-legends"), isTwo = other && state.mode === "swipe";
      box.textContent = "";
      decode(shown);
      box.append(legendOf(shown, isTwo ? "← " : ""));
      if (other) { decode(other); box.append(legendOf(other, isTwo ? "→ " : "Beneath: ")); }
    }
    function savePicture() {
      var band = Math.round(64 * dense), sheet = document.createElement("canvas"), ink = sheet.getContext("2d");
      sheet.width = canvas.width; sheet.height = canvas.height + band;
      ink.fillStyle = "#fff"; ink.fillRect(0, 0, sheet.width, sheet.height);
      ink.drawImage(canvas, 0, band);
      ink.scale(dense, dense);
      [shown].concat(other ? [other] : []).forEach(function (layer, k) { drawLegend(ink, layer, MARGIN.left + k * size[0] / 2, Math.min(340, size[0] / (other ? 2.3 : 1.2))); });
      var link = element("a");
      link.download = (shown.key.replace(/[^A-Za-z0-9]+/g, "_") || "map") + ".png";
      link.href = sheet.toDataURL("image/png");
      link.click();
      return link.href;
    }
    function drawLegend(ink, layer, x, wide) {
      var words = titleOf(layer), ends = layer.classes ? null : endsOf(layer);
      ink.fillStyle = INK; ink.font = "600 13px " + FONT; ink.textBaseline = "alphabetic"; ink.textAlign = "left";
      ink.fillText(words[0] + (words[1] ? " [" + words[1] + "]" : ""), x, 18, wide);
      ink.font = "11px " + FONT;
      if (layer.classes) {
        var at = x;
        layer.classes.forEach(function (own) { ink.fillStyle = own[2]; ink.fillRect(at, 27, 14, 10); ink.fillStyle = INK; ink.fillText(own[1], at + 18, 36); at += 28 + ink.measureText(own[1]).width; });
        return;
      }
      var shade = ink.createLinearGradient(x, 0, x + wide, 0);
      header.ramps[layer.ramp].forEach(function (colour, k) { shade.addColorStop(k / 255, colour); });
      ink.fillStyle = shade; ink.fillRect(x, 26, wide, 11); ink.fillStyle = INK;
      ink.fillText(ends[0], x, 52); ink.textAlign = "right"; ink.fillText(ends[1], x + wide, 52); ink.textAlign = "center";
      ticksOf(layer).forEach(function (tick) { if (tick[1] > 0.15 && tick[1] < 0.85) { ink.fillText(written(tick[0]), x + wide * tick[1], 52); } });
    }

    // ---- input ---------------------------------------------------------------------------------

    var pointers = new Map(), moved = 0, hoverAsked = false;

    function pan(dx, dy) {
      view.x -= dx * view.scale; view.y += dy * view.scale;
      view.x = Math.min(reach.east, Math.max(reach.west, view.x)); view.y = Math.min(reach.north, Math.max(reach.south, view.y));
      ask();
    }
    function zoom(factor, px, py) {
      var box = inner(), x = px === undefined ? box.left + box.width / 2 : px, y = py === undefined ? box.top + box.height / 2 : py, at = unproject(x, y);
      view.scale = Math.min(Math.max(view.scale * factor, Math.min(frame.size[0] / 60, fitted)), 4 * fitted);
      var now = unproject(x, y);
      view.x += at[0] - now[0]; view.y += at[1] - now[1];
      pan(0, 0);
    }
    function onDown(event) {
      canvas.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
      moved = pointers.size > 1 ? 99 : 0;
      crosshair = false;
      canvas.focus({ preventScroll: true });
      root.classList.add("active");
      showHint(null);
    }
    function onMove(event) {
      var before = pointers.get(event.pointerId), now = [event.offsetX, event.offsetY];
      if (!before) { hover(now); return; }
      var dx = now[0] - before[0], dy = now[1] - before[1];
      moved += Math.abs(dx) + Math.abs(dy);
      if (moved < 5) { return; }
      canvas.classList.add("moving");
      pointers.set(event.pointerId, now);
      if (pointers.size === 2) {
        var still = Array.from(pointers.entries()).find(function (entry) { return entry[0] !== event.pointerId; })[1];
        var gap = Math.hypot(now[0] - still[0], now[1] - still[1]) || 1, old = Math.hypot(before[0] - still[0], before[1] - still[1]) || 1;
        pan(dx / 2, dy / 2);
        zoom(old / gap, (now[0] + still[0]) / 2, (now[1] + still[1]) / 2);
      } else { pan(dx, dy); }
    }
    function onUp(event) {
      pointers.delete(event.pointerId);
      if (!pointers.size) { canvas.classList.remove("moving"); }
      if (event.type === "pointerup" && moved < 5 && event.button === 0) { choose(pick(event.offsetX, event.offsetY, event.pointerType === "touch" ? 18 : 9)); }
    }
    function hover(at) {
      if (hoverAsked) { return; }
      hoverAsked = true;
      requestAnimationFrame(function () {
        hoverAsked = false;
        if (pointers.size) { return; }
        var box = inner(), isIn = at[0] > box.left && at[0] < box.left + box.width && at[1] > box.top && at[1] < box.top + box.height, place = unproject(at[0], at[1]);
        var found = isIn ? pick(at[0], at[1], 9) : null;
        find("gm-where").textContent = isIn ? whereWords(place[0], place[1]) : "";
        canvas.classList.toggle("over", Boolean(found && found.set));
        showHint(found && (found.set || found.cell >= 0) ? found : null, at[0], at[1]);
      });
    }
    function leave() { showHint(null); find("gm-where").textContent = ""; }
    function tellMiddle() {
      var cell = cellAt(view.x, view.y);
      find("gm-where").textContent = whereWords(view.x, view.y);
      say(shown.title + " " + (cell < 0 ? "outside the map" : toldAt(shown, cell)) + ", " + whereWords(view.x, view.y));
    }
    function onKey(event) {
      var ways = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }, way = ways[event.key];
      if (event.altKey || event.metaKey || event.ctrlKey || event.target.closest("input, select, button, a, summary, .gm-divider")) { if (event.key !== "Escape") { return; } }
      if (way) { var part = event.shiftKey ? 0.1 : 1; pan(way[0] * part, way[1] * part); crosshair = true; tellMiddle(); }
      else if (event.key === "+" || event.key === "=") { zoom(1 / 1.4); }
      else if (event.key === "-" || event.key === "_") { zoom(1.4); }
      else if (event.key === "0") { showAll(); }
      else if (event.key === "Enter" || event.key === " ") { crosshair = true; var p = project(view.x, view.y); choose(pick(p[0], p[1], 9)); tellMiddle(); }
      else if (event.key === "[") { step(-1); }
      else if (event.key === "]") { step(1); }
      else if (event.key === "s") { savePicture(); }
      else if (event.key === "f") { toggleFull(); }
      else if (event.key === "l") { togglePanel(); }
      else if (event.key === "Escape" && picked) { choose(null); }
      else { return; }
      event.preventDefault();
    }
    function toggleFull() {
      if (document.fullscreenElement) { document.exitFullscreen(); } else if (root.requestFullscreen) { root.requestFullscreen(); }
    }
    function togglePanel() {
      var isHidden = root.classList.toggle("bare");
      root.querySelector("[data-do=panel]").setAttribute("aria-expanded", String(!isHidden));
    }
    function listen() {
      canvas.addEventListener("pointerdown", onDown);
      canvas.addEventListener("pointermove", onMove);
      canvas.addEventListener("pointerup", onUp);
      canvas.addEventListener("pointercancel", onUp);
      canvas.addEventListener("pointerleave", leave);
      canvas.addEventListener("dblclick", function (event) { zoom(0.5, event.offsetX, event.offsetY); });
      canvas.addEventListener("wheel", function (event) { // inside a report the page scrolls until the map is clicked
        if (root.classList.contains("inset") && !root.classList.contains("active") && !event.ctrlKey && !document.fullscreenElement) { return; }
        event.preventDefault();
        showHint(null);
        zoom(Math.exp(Math.max(-90, Math.min(90, event.deltaY * (event.deltaMode ? 16 : 1))) * 0.0025), event.offsetX, event.offsetY);
      }, { passive: false });
      canvas.addEventListener("blur", function () { crosshair = false; ask(); });
      document.addEventListener("pointerdown", function (event) { if (!root.contains(event.target)) { root.classList.remove("active"); } });
      root.addEventListener("keydown", onKey);
      var isHeld = false;
      divider.addEventListener("pointerdown", function (event) { isHeld = true; divider.setPointerCapture(event.pointerId); event.preventDefault(); divider.focus(); });
      divider.addEventListener("pointermove", function (event) { if (isHeld) { var box = inner(); setShare((event.clientX - stage.getBoundingClientRect().left - box.left) / box.width); } });
      ["pointerup", "pointercancel"].forEach(function (kind) { divider.addEventListener(kind, function () { isHeld = false; }); });
      divider.addEventListener("keydown", function (event) {
        var way = { ArrowLeft: -0.02, ArrowDown: -0.02, ArrowRight: 0.02, ArrowUp: 0.02, PageDown: -0.1, PageUp: 0.1, Home: -1, End: 1 }[event.key];
        if (way) { setShare(state.share + way); event.preventDefault(); event.stopPropagation(); }
      });
      var does = { fit: function () { showAll(); }, in: function () { zoom(1 / 1.6); }, out: function () { zoom(1.6); }, picture: savePicture, full: toggleFull, panel: togglePanel };
      root.querySelectorAll("[data-do]").forEach(function (button) { button.addEventListener("click", function () { does[button.dataset.do](); }); });
      document.addEventListener("fullscreenchange", function () { root.querySelector("[data-do=full]").setAttribute("aria-pressed", String(document.fullscreenElement === root)); });
      if (!root.requestFullscreen) { root.querySelector("[data-do=full]").hidden = true; }
      new ResizeObserver(resize).observe(stage);
      window.addEventListener("beforeprint", resize);
    }

    // ---- start ---------------------------------------------------------------------------------

    unpackShapes();
    fillPanel();
    show(shown);
    compare(null);
    listen();
    resize();
    root.map = {
      header: header, view: view, state: state, layers: layers, draw: draw, project: project, unproject: unproject, cellAt: cellAt, degreesAt: degreesAt, pick: pick, choose: choose, savePicture: savePicture,
      show: function (key) { show(layers.find(function (layer) { return layer.key === key; })); },
      compare: function (key) { compare(layers.find(function (layer) { return layer.key === key; }) || null); },
      read: function (key, easting, northing) { return valueAt(layers.find(function (layer) { return layer.key === key; }), cellAt(easting - header.origin[0], northing - header.origin[1])); },
      place: function (easting, northing) { return project(easting - header.origin[0], northing - header.origin[1]); },
      pixel: function (px, py) {
        var one = document.createElement("canvas"), ink;
        one.width = one.height = 1;
        ink = one.getContext("2d", { willReadFrequently: true });
        ink.drawImage(canvas, -Math.round(px * dense), -Math.round(py * dense));
        return Array.from(ink.getImageData(0, 0, 1, 1).data);
      },
      isDone: function () { return !asked; }
    };
    root.dataset.drawn = "yes";
  }

  var roots = Array.from(document.querySelectorAll(".gmap"));
  Promise.all(roots.map(function (root) {
    return mount(root).catch(function (error) {
      var message = root.querySelector(".gm-message");
      root.classList.add("flat");
      root.dataset.drawn = "never";
      root.querySelector(".gm-listing").open = true;
      message.append(element("p", "The map could not be drawn: " + String(error && error.message || error)), element("p", "Its layers and targets are listed below."));
      message.hidden = false;
    });
  })).then(function () {
    document.documentElement.dataset.drawn = roots.every(function (root) { return root.dataset.drawn === "yes"; }) ? "yes" : "never";
  });
})();
