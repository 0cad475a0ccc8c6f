(function () {
  "use strict";
  // A 3D view without a library: unpack, upload, draw on demand, pick on the CPU.
  // Places are metres from the middle of the scene, x east, y north, z up; words reach the page
  // only as text. Sections: arrays, vectors, WebGL, layers, camera, frame, labels, picking, panel,
  // input, start.

  var page = document.documentElement, byId = function (id) { return document.getElementById(id); };
  var canvas = byId("view"), stage = byId("stage"), overlay = byId("labels"), hint = byId("hint");
  var timings = { begun: performance.now() };
  var header, origin, gl, programs, layers = [];
  var MISSING = [0.60, 0.64, 0.67], FIELD = 32 * Math.PI / 180, EDGE = 0.03, SLOW = 120;

  // ---- arrays ----------------------------------------------------------------------------------

  async function unpackPayload() {
    var text = byId("payload").textContent, bytes;
    if (Uint8Array.fromBase64) {
      bytes = Uint8Array.fromBase64(text);
    } else {
      var raw = atob(text);
      bytes = new Uint8Array(raw.length);
      for (var i = 0; i < raw.length; i++) { bytes[i] = raw.charCodeAt(i); }
    }
    var stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    byId("payload").textContent = "";
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  function readArray(store, place) {
    var at = place[0], n = place[1], columns = place[3];
    var Type = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, f4: Float32Array }[place[2]];
    var array = new Type(n), size = Type.BYTES_PER_ELEMENT, bytes = new Uint8Array(array.buffer);
    for (var plane = 0; plane < size; plane++) {
      for (var i = 0, from = at + plane * n, to = plane; i < n; i++, to += size) { bytes[to] = store[from + i]; }
    }
    if (place[4]) { for (var j = columns; j < n; j++) { array[j] += array[j - columns]; } }
    return array;
  }

  function placesOf(layer, store) {
    var steps = readArray(store, layer.places), places = new Float32Array(steps.length);
    for (var i = 0; i < steps.length; i++) {
      places[i] = layer.low[i % 3] + steps[i] / 65535 * layer.size[i % 3];
    }
    return places;
  }

  // ---- vectors and matrices (columns first) ----------------------------------------------------

  function plus(a, b, k) { return [a[0] + b[0] * k, a[1] + b[1] * k, a[2] + b[2] * k]; }
  function dot(a, b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }
  function cross(a, b) { return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]; }
  function unit(a) { var n = Math.hypot(a[0], a[1], a[2]) || 1; return [a[0] / n, a[1] / n, a[2] / n]; }
  function times(a, b) {
    var c = new Float64Array(16);
    for (var i = 0; i < 4; i++) {
      for (var j = 0; j < 4; j++) {
        for (var k = 0, sum = 0; k < 4; k++) { sum += a[k * 4 + j] * b[i * 4 + k]; }
        c[i * 4 + j] = sum;
      }
    }
    return c;
  }
  // Dark colours are lifted on a dark ground.
  function tintOf(layer) {
    var c = layer.tint, light = 0.3 * c[0] + 0.6 * c[1] + 0.1 * c[2], lift = page.dataset.theme === "dark" ? Math.max(0, 0.42 - light) * 1.3 : 0;
    return c.map(function (v) { return v + (1 - v) * lift; });
  }
  function rgb(code) { return [1, 3, 5].map(function (i) { return parseInt(code.slice(i, i + 2), 16) / 255; }); }

  // ---- WebGL -----------------------------------------------------------------------------------

  var SURFACE = [`
    in vec3 place; in vec3 normal;
    uniform mat4 view; uniform vec3 low, size; uniform float tall;
    out vec3 at, facing;
    void main() {
      at = low + place * size; at.z *= tall;
      facing = vec3(normal.xy, normal.z / tall);
      gl_Position = view * vec4(at, 1.0);
    }`, `
    in vec3 at, facing; uniform vec3 colour, eye, ahead, side, above; uniform float opacity, parallel;
    out vec4 drawn;
    void main() {
      vec3 seen = normalize(mix(eye - at, -ahead, parallel)), n = normalize(facing);
      float front = dot(n, seen);
      if (front < 0.0) { n = -n; front = -front; }
      float key = max(dot(n, normalize(seen + 0.55 * above - 0.45 * side)), 0.0);
      vec3 lit = colour * (0.34 + 0.24 * front + 0.48 * key) + 0.10 * pow(key, 24.0);
      float rim = pow(1.0 - front, 2.5) * step(opacity, 0.99);
      drawn = vec4(lit, opacity + (1.0 - opacity) * 0.55 * rim);
    }`];
  // Four corners a piece: a ribbon that faces the eye and is shaded like a pipe.
  var LINE = [`
    in vec3 begin, end; in float shade;
    uniform mat4 view; uniform vec3 low, size; uniform vec2 screen; uniform float tall, graded, thin, thick, cut, nearest;
    out float tone, across; flat out float known;
    void main() {
      float width; vec3 a = low + begin * size, b = low + end * size; a.z *= tall; b.z *= tall;
      vec4 p = view * vec4(a, 1.0), q = view * vec4(b, 1.0);
      tone = max(shade * 255.0 - 1.0, 0.0) / 254.0;
      known = graded > 0.5 ? (shade > 0.0 && tone > cut - 0.002 ? 1.0 : 0.0) : 2.0;
      width = known < 0.5 ? 1.3 : known > 1.5 ? thick : mix(thin, thick, tone * tone);
      if (p.w < nearest && q.w < nearest) { gl_Position = vec4(0.0, 0.0, 2.0, 1.0); return; }
      if (p.w < nearest) { p = mix(p, q, (nearest - p.w) / (q.w - p.w)); }
      if (q.w < nearest) { q = mix(q, p, (nearest - q.w) / (p.w - q.w)); }
      vec2 way = (q.xy / q.w - p.xy / p.w) * screen;
      float far = length(way); way = far > 1e-5 ? way / far : vec2(1.0, 0.0);
      float side = float(gl_VertexID & 1) * 2.0 - 1.0, tip = float((gl_VertexID >> 1) & 1);
      vec4 at = tip > 0.5 ? q : p;
      vec2 step = vec2(-way.y, way.x) * side * width * 0.5 + way * (tip * 2.0 - 1.0) * width * 0.25;
      at.xy += step / screen * 2.0 * at.w;
      across = side;
      gl_Position = at;
    }`, `
    in float tone, across; flat in float known;
    uniform sampler2D ramp; uniform vec3 colour, missing; uniform float round;
    out vec4 drawn;
    void main() {
      vec3 own = known < 0.5 ? missing : known > 1.5 ? colour : texture(ramp, vec2(tone, 0.5)).rgb;
      float bulge = sqrt(max(1.0 - across * across, 0.0));
      if (known > 0.5) { own *= mix(1.0, 0.52 + 0.5 * bulge, round); }
      drawn = vec4(own, 1.0);
    }`];
  var BALL = [`
    in vec3 place; in float shade;
    uniform mat4 view; uniform vec3 low, size; uniform float tall, diameter, graded;
    out float tone; flat out float known;
    void main() {
      vec3 at = low + place * size; at.z *= tall;
      tone = (shade * 255.0 - 1.0) / 254.0; known = graded > 0.5 ? (shade > 0.0 ? 1.0 : 0.0) : 2.0;
      gl_Position = view * vec4(at, 1.0); gl_PointSize = diameter;
    }`, `
    in float tone; flat in float known; uniform sampler2D ramp; uniform vec3 colour, missing; out vec4 drawn;
    void main() {
      vec2 p = gl_PointCoord * 2.0 - 1.0; float r = dot(p, p);
      if (r > 1.0) { discard; }
      vec3 own = known < 0.5 ? missing : known > 1.5 ? colour : texture(ramp, vec2(tone, 0.5)).rgb;
      drawn = vec4(own * (0.5 + 0.55 * sqrt(1.0 - r)), 1.0);
    }`];
  var SLICE = [`
    uniform mat4 view; uniform vec3 corner, east, north, up, one, two, base; uniform float tall;
    out vec3 share; out vec2 flatly;
    void main() {
      flatly = vec2(float(gl_VertexID & 1), float(gl_VertexID >> 1));
      share = base + one * flatly.x + two * flatly.y;
      vec3 at = corner + east * share.x + north * share.y + up * share.z; at.z *= tall;
      gl_Position = view * vec4(at, 1.0);
    }`, `
    in vec3 share; in vec2 flatly; uniform highp sampler3D cells; uniform sampler2D ramp; uniform vec3 ink; uniform float opacity;
    out vec4 drawn;
    void main() {
      float shade = texture(cells, share).r * 255.0;
      vec2 rim = min(flatly, 1.0 - flatly) / fwidth(flatly);
      if (min(rim.x, rim.y) < 1.3) { drawn = vec4(ink, 1.0); return; }
      if (shade < 0.5) { discard; }
      drawn = vec4(texture(ramp, vec2((shade - 1.0) / 254.0, 0.5)).rgb, opacity);
    }`];

  function buildProgram(sources) {
    var program = gl.createProgram(), head = "#version 300 es\nprecision highp float;\n";
    [gl.VERTEX_SHADER, gl.FRAGMENT_SHADER].forEach(function (kind, i) {
      var shader = gl.createShader(kind);
      gl.shaderSource(shader, head + sources[i]);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    });
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
      throw new Error(gl.getProgramInfoLog(program) || gl.getShaderInfoLog(gl.getAttachedShaders(program)[0]));
    }
    var places = {}, n = gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS);
    for (var i = 0; i < n; i++) {
      var active = gl.getActiveUniform(program, i);
      places[active.name] = [gl.getUniformLocation(program, active.name), active.type];
    }
    return { own: program, places: places };
  }

  function use(program, values) {
    gl.useProgram(program.own);
    Object.keys(values).forEach(function (name) {
      var known = program.places[name], value = values[name];
      if (!known) { return; }
      if (known[1] === gl.FLOAT) { gl.uniform1f(known[0], value); }
      else if (known[1] === gl.FLOAT_VEC2) { gl.uniform2fv(known[0], value); }
      else if (known[1] === gl.FLOAT_VEC3) { gl.uniform3fv(known[0], value); }
      else if (known[1] === gl.FLOAT_MAT4) { gl.uniformMatrix4fv(known[0], false, value); }
      else { gl.uniform1i(known[0], value); }
    });
  }

  function upload(array, target) {
    var buffer = gl.createBuffer();
    gl.bindBuffer(target || gl.ARRAY_BUFFER, buffer);
    gl.bufferData(target || gl.ARRAY_BUFFER, array, gl.STATIC_DRAW);
    return buffer;
  }

  function attribute(program, name, buffer, n, type, stride, offset) {
    var place = gl.getAttribLocation(program.own, name);
    if (place < 0) { return; }
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, n, type, type !== gl.FLOAT, stride, offset);
  }

  function makeRamp(colours) {
    var context = document.createElement("canvas").getContext("2d"), texture = gl.createTexture();
    context.canvas.width = 256; context.canvas.height = 1;
    var blend = context.createLinearGradient(0.5, 0, 255.5, 0);
    colours.forEach(function (colour, i) { blend.addColorStop(i / (colours.length - 1), colour); });
    context.fillStyle = blend;
    context.fillRect(0, 0, 256, 1);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE,
      new Uint8Array(context.getImageData(0, 0, 256, 1).data.buffer));
    [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T].forEach(function (way) { gl.texParameteri(gl.TEXTURE_2D, way, gl.CLAMP_TO_EDGE); });
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
    return texture;
  }

  // ---- layers ----------------------------------------------------------------------------------

  function normalsOf(places, triangles) {
    var sums = new Float32Array(places.length), packed = new Int8Array(places.length / 3 * 4);
    for (var t = 0; t < triangles.length; t += 3) {
      var a = 3 * triangles[t], b = 3 * triangles[t + 1], c = 3 * triangles[t + 2];
      var ux = places[b] - places[a], uy = places[b + 1] - places[a + 1], uz = places[b + 2] - places[a + 2];
      var vx = places[c] - places[a], vy = places[c + 1] - places[a + 1], vz = places[c + 2] - places[a + 2];
      var nx = uy * vz - uz * vy, ny = uz * vx - ux * vz, nz = ux * vy - uy * vx;
      sums[a] += nx; sums[a + 1] += ny; sums[a + 2] += nz;
      sums[b] += nx; sums[b + 1] += ny; sums[b + 2] += nz;
      sums[c] += nx; sums[c + 1] += ny; sums[c + 2] += nz;
    }
    for (var i = 0, j = 0; i < sums.length; i += 3, j += 4) {
      var n = 127 / (Math.hypot(sums[i], sums[i + 1], sums[i + 2]) || 1);
      packed[j] = sums[i] * n; packed[j + 1] = sums[i + 1] * n; packed[j + 2] = sums[i + 2] * n;
    }
    return packed;
  }

  // For slow machines, while the view moves: the same vertices, one of each cell of a lattice.
  function makeCoarse(layer) {
    var p = layer.points, c = layer.corners, step = Math.max.apply(null, layer.size) / 40 || 1, first = new Map(), home = new Uint32Array(p.length / 3);
    for (var i = 0; i < home.length; i++) {
      var cell = [0, 1, 2].reduce(function (code, k) { return code * 64 + Math.floor((p[3 * i + k] - layer.low[k]) / step); }, 0);
      if (!first.has(cell)) { first.set(cell, i); }
      home[i] = first.get(cell);
    }
    var kept = [];
    for (var t = 0; t < c.length; t += 3) {
      var a = home[c[t]], b = home[c[t + 1]], d = home[c[t + 2]];
      if (a !== b && b !== d && d !== a) { kept.push(a, b, d); }
    }
    return { n: kept.length, buffer: upload(new Uint32Array(kept), gl.ELEMENT_ARRAY_BUFFER) };
  }

  function padded(steps) {
    var four = new Uint16Array(steps.length / 3 * 4);
    for (var i = 0, j = 0; i < steps.length; i += 3, j += 4) {
      four[j] = steps[i]; four[j + 1] = steps[i + 1]; four[j + 2] = steps[i + 2];
    }
    return four;
  }

  function makeSurface(layer, store) {
    layer.points = placesOf(layer, store);
    layer.corners = readArray(store, layer.triangles);
    layer.tint = rgb(layer.colour);
    layer.array = gl.createVertexArray();
    gl.bindVertexArray(layer.array);
    attribute(programs.surface, "place", upload(padded(readArray(store, layer.places))), 3, gl.UNSIGNED_SHORT, 8, 0);
    attribute(programs.surface, "normal", upload(normalsOf(layer.points, layer.corners)), 3, gl.BYTE, 4, 0);
    layer.fine = { n: layer.corners.length, buffer: upload(layer.corners, gl.ELEMENT_ARRAY_BUFFER) };
    gl.bindVertexArray(null);
  }

  // Four corners a piece, each with both ends: begin, shade, end, nothing in 16 bytes. Instances
  // would be smaller, but software and some cards draw them one by one.
  function makePieces(scaled, starts, ends, shades) {
    var packed = new Uint16Array(starts.length * 32);
    for (var i = 0, j = 0; i < starts.length; i++) {
      var a = 3 * starts[i], b = 3 * ends[i], shade = shades ? shades[i] * 257 : 65535;
      for (var corner = 0; corner < 4; corner++, j += 8) {
        packed[j] = scaled[a]; packed[j + 1] = scaled[a + 1]; packed[j + 2] = scaled[a + 2]; packed[j + 3] = shade;
        packed[j + 4] = scaled[b]; packed[j + 5] = scaled[b + 1]; packed[j + 6] = scaled[b + 2];
      }
    }
    var pieces = { n: starts.length, array: gl.createVertexArray() };
    gl.bindVertexArray(pieces.array);
    pieces.buffers = [upload(packed), upload(cornersOf(pieces.n), gl.ELEMENT_ARRAY_BUFFER)];
    gl.bindBuffer(gl.ARRAY_BUFFER, pieces.buffers[0]);
    attribute(programs.line, "begin", pieces.buffers[0], 3, gl.UNSIGNED_SHORT, 16, 0);
    attribute(programs.line, "shade", pieces.buffers[0], 1, gl.UNSIGNED_SHORT, 16, 6);
    attribute(programs.line, "end", pieces.buffers[0], 3, gl.UNSIGNED_SHORT, 16, 8);
    gl.bindVertexArray(null);
    return pieces;
  }
  function dropPieces(pieces) {
    pieces.buffers.forEach(function (buffer) { gl.deleteBuffer(buffer); });
    gl.deleteVertexArray(pieces.array);
  }
  function cornersOf(n) {
    var corners = new Uint32Array(6 * n);
    for (var i = 0, j = 0, k = 0; i < n; i++, j += 6, k += 4) {
      corners[j] = k; corners[j + 1] = k + 1; corners[j + 2] = k + 2;
      corners[j + 3] = k + 2; corners[j + 4] = k + 1; corners[j + 5] = k + 3;
    }
    return corners;
  }

  // Pieces given in metres: axes, boxes, what is picked. They can be given again.
  function makeLooseLines() {
    var lines = { n: 0, array: gl.createVertexArray(), buffer: gl.createBuffer(), corners: gl.createBuffer() };
    gl.bindVertexArray(lines.array);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, lines.corners);
    attribute(programs.line, "begin", lines.buffer, 3, gl.FLOAT, 24, 0);
    attribute(programs.line, "end", lines.buffer, 3, gl.FLOAT, 24, 12);
    gl.bindVertexArray(null);
    return lines;
  }
  function fillLines(lines, numbers) {
    var four = new Float32Array(numbers.length * 4);
    lines.n = numbers.length / 6;
    for (var i = 0; i < four.length; i++) { four[i] = numbers[6 * Math.floor(i / 24) + i % 6]; }
    gl.bindVertexArray(lines.array);
    gl.bindBuffer(gl.ARRAY_BUFFER, lines.buffer);
    gl.bufferData(gl.ARRAY_BUFFER, four, gl.DYNAMIC_DRAW);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, cornersOf(lines.n), gl.DYNAMIC_DRAW);
    gl.bindVertexArray(null);
  }

  function makeTraces(layer, store) {
    var steps = readArray(store, layer.places);
    layer.steps = steps;
    layer.points = placesOf(layer, store);
    layer.begins = readArray(store, layer.starts);
    layer.stops = readArray(store, layer.ends);
    layer.owners = readArray(store, layer.codes);
    layer.tint = rgb(layer.colour);
    layer.cut = 0;
    readGrades(layer, store);
    if (layer.depths) { layer.along = readArray(store, layer.depths); }
    layer.pieces = makePieces(steps, layer.begins, layer.stops, layer.tones);
  }

  function readGrades(layer, store) {
    if (!layer.scale) { return; }
    layer.tones = readArray(store, layer.shades);
    if (layer.values) { layer.grades = readArray(store, layer.values); }
    layer.ramp = makeRamp(layer.scale.ramp);
  }

  function makePoints(layer, store) {
    layer.points = placesOf(layer, store);
    layer.tint = rgb(layer.colour);
    readGrades(layer, store);
    layer.array = gl.createVertexArray();
    gl.bindVertexArray(layer.array);
    attribute(programs.ball, "place", upload(padded(readArray(store, layer.places))), 3, gl.UNSIGNED_SHORT, 8, 0);
    if (layer.tones) { attribute(programs.ball, "shade", upload(layer.tones), 1, gl.UNSIGNED_BYTE, 1, 0); }
    gl.bindVertexArray(null);
  }

  function boxLines(low, high) {
    var lines = [];
    for (var axis = 0; axis < 3; axis++) {
      for (var corner = 0; corner < 4; corner++) {
        var a = low.slice(), one = (axis + 1) % 3, two = (axis + 2) % 3;
        if (corner & 1) { a[one] = high[one]; }
        if (corner & 2) { a[two] = high[two]; }
        var b = a.slice();
        b[axis] = high[axis];
        lines.push(a[0], a[1], a[2], b[0], b[1], b[2]);
      }
    }
    return lines;
  }

  function makeBoxes(layer) {
    layer.tint = rgb(layer.colour);
    layer.lines = makeLooseLines();
    fillLines(layer.lines, [].concat.apply([], layer.lows.map(function (low, i) { return boxLines(low, layer.highs[i]); })));
    layer.tags = layer.labels.map(function (label, i) {
      var tag = document.createElement("button"), middle = layer.lows[i].map(function (v, k) { return (v + layer.highs[i][k]) / 2; });
      tag.type = "button";
      tag.className = "tag";
      tag.textContent = label;
      tag.setAttribute("aria-pressed", "false");
      tag.setAttribute("aria-label", layer.name + ", " + label);
      tag.style.setProperty("--tag", layer.colour);
      tag.addEventListener("click", function () { choose({ layer: layer, row: i, kind: "boxes", at: middle }); });
      overlay.appendChild(tag);
      return { own: tag, at: [middle[0], middle[1], layer.highs[i][2]] };
    });
  }

  function makeSlices(layer, store) {
    readGrades(layer, store);
    var shape = layer.shape, most = gl.getParameter(gl.MAX_3D_TEXTURE_SIZE);
    if (Math.max.apply(null, shape) > most) { throw new Error("This graphics card draws block models of at most " + most + " cells along an axis."); }
    layer.texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_3D, layer.texture);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texImage3D(gl.TEXTURE_3D, 0, gl.R8, shape[2], shape[1], shape[0], 0, gl.RED, gl.UNSIGNED_BYTE, layer.tones);
    [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER].forEach(function (way) { gl.texParameteri(gl.TEXTURE_3D, way, gl.NEAREST); });
    [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T, gl.TEXTURE_WRAP_R].forEach(function (way) { gl.texParameteri(gl.TEXTURE_3D, way, gl.CLAMP_TO_EDGE); });
    layer.opacity = 1;
    layer.array = gl.createVertexArray();
    // Planes by the axis they cut: 0 easting, 1 northing, 2 elevation.
    layer.planes = ["easting", "northing", "elevation"].map(function (name, axis) {
      var n = shape[2 - axis];
      return { name: name, axis: axis, n: n, index: Math.floor(n / 2), visible: layer.shown.indexOf(name) >= 0 };
    });
  }

  function planeShare(plane) { return (plane.index + 0.5) / plane.n; }
  function placeOfPlane(layer, plane) { return layer.starts[plane.axis][0] + plane.index * layer.starts[plane.axis][1]; }

  // ---- camera ----------------------------------------------------------------------------------

  var camera = { target: [0, 0, 0], distance: 1, azimuth: 0, tilt: 0, parallel: false, tall: 1 };
  var frame = {}; // what the last frame was drawn with

  function reach() {
    var size = header.high.map(function (v, i) { return (v - header.low[i]) * (i === 2 ? camera.tall : 1); });
    return Math.max(Math.hypot(size[0], size[1], size[2]) / 2, 1e-3);
  }
  // Plans and sections are parallel, so that lengths can be read; the whole scene is in perspective.
  function turnTo(name) {
    var way = { top: [0, 90], north: [0, 0], east: [90, 0], reset: [328, 24] }[name];
    camera.azimuth = way[0]; camera.tilt = way[1];
    setParallel(name !== "reset");
    fitScene();
    ask();
  }
  function setParallel(parallel) {
    camera.parallel = parallel;
    byId("projection").setAttribute("aria-pressed", String(parallel));
  }
  // Centre the corners of the scene's box in the window, and step back until all are inside it.
  function fitScene() {
    var corners = [0, 1, 2, 3, 4, 5, 6, 7].map(function (corner) {
      return [0, 1, 2].map(function (i) { return corner >> i & 1 ? axes.high[i] : axes.low[i]; });
    });
    camera.target = [0, 0, 0];
    camera.distance = 4 * reach();
    for (var turn = 0; turn < 8; turn++) {
      placeCamera();
      var seen = corners.map(project).filter(Boolean), xs = seen.map(function (p) { return p[0]; }), ys = seen.map(function (p) { return p[1]; });
      var left = Math.min.apply(null, xs), right = Math.max.apply(null, xs), top = Math.min.apply(null, ys), low = Math.max.apply(null, ys);
      var above = byId("legend").offsetHeight, room = [Math.max(frame.size[0] - (frame.size[0] > 600 ? 190 : 130), 80), Math.max(frame.size[1] - above - 140, 80)];
      camera.target = plus(plus(camera.target, frame.way.side, ((left + right) / 2 - frame.size[0] / 2) * frame.metre),
        frame.way.above, ((frame.size[1] + above - 30) / 2 - (top + low) / 2) * frame.metre);
      camera.distance *= Math.max((right - left) / room[0], (low - top) / room[1], 1e-3);
    }
  }
  function directions() {
    var a = camera.azimuth * Math.PI / 180, t = camera.tilt * Math.PI / 180;
    var ahead = [Math.sin(a) * Math.cos(t), Math.cos(a) * Math.cos(t), -Math.sin(t)], side = [Math.cos(a), -Math.sin(a), 0];
    return { ahead: ahead, side: side, above: cross(side, ahead) };
  }
  function canvasSize() { return [Math.max(stage.clientWidth, 1), Math.max(stage.clientHeight, 1)]; }

  function placeCamera() {
    var way = directions(), size = canvasSize(), eye = plus(camera.target, way.ahead, -camera.distance);
    var r = reach(), off = Math.hypot(eye[0], eye[1], eye[2]), high = Math.tan(FIELD / 2), wide = high * size[0] / size[1];
    var far = off + 1.3 * r, near = camera.parallel ? -far : Math.max(off - 1.3 * r, r * 0.004, camera.distance * 0.002);
    var turn = [way.side[0], way.above[0], -way.ahead[0], 0, way.side[1], way.above[1], -way.ahead[1], 0,
      way.side[2], way.above[2], -way.ahead[2], 0, -dot(way.side, eye), -dot(way.above, eye), dot(way.ahead, eye), 1];
    var h = camera.distance * high, w = camera.distance * wide;
    var lens = camera.parallel
      ? [1 / w, 0, 0, 0, 0, 1 / h, 0, 0, 0, 0, -2 / (far - near), 0, 0, 0, -(far + near) / (far - near), 1]
      : [1 / wide, 0, 0, 0, 0, 1 / high, 0, 0, 0, 0, -(far + near) / (far - near), -1, 0, 0, -2 * far * near / (far - near), 0];
    frame = { eye: eye, size: size, near: near, way: way, view: times(lens, turn), metre: 2 * h / size[1] };
    frame.shared = {
      view: new Float32Array(frame.view), tall: camera.tall, eye: eye, ahead: way.ahead, side: way.side, above: way.above,
      parallel: camera.parallel ? 1 : 0, nearest: camera.parallel ? 0 : near, ramp: 0, cells: 1, missing: MISSING,
      low: [0, 0, 0], size: [1, 1, 1], graded: 0, cut: 0, thin: 2, thick: 2, round: 0
    };
  }

  // Where a place in metres stands on the screen [px], and how deep; null behind the eye.
  function project(p) {
    var m = frame.view, z = p[2] * camera.tall, w = m[3] * p[0] + m[7] * p[1] + m[11] * z + m[15];
    if (w <= (camera.parallel ? 0 : frame.near)) { return null; }
    return [
      ((m[0] * p[0] + m[4] * p[1] + m[8] * z + m[12]) / w + 1) * frame.size[0] / 2,
      (1 - (m[1] * p[0] + m[5] * p[1] + m[9] * z + m[13]) / w) * frame.size[1] / 2,
      (m[2] * p[0] + m[6] * p[1] + m[10] * z + m[14]) / w
    ];
  }
  // The ray through a pixel, in metres as they are (heights not stretched).
  function rayThrough(x, y) {
    var size = frame.size, up = Math.tan(FIELD / 2), right = up * size[0] / size[1], way = frame.way;
    var h = (2 * x / size[0] - 1) * right, v = (1 - 2 * y / size[1]) * up, from = frame.eye, to = way.ahead;
    if (camera.parallel) {
      from = plus(plus(from, way.side, h * camera.distance), way.above, v * camera.distance);
      from = plus(from, way.ahead, -4 * reach());
    } else {
      to = plus(plus(to, way.side, h), way.above, v);
    }
    return { from: [from[0], from[1], from[2] / camera.tall], to: [to[0], to[1], to[2] / camera.tall] };
  }

  // ---- a frame ---------------------------------------------------------------------------------

  // One frame at a time: the next waits until the card has finished the last, so that slow cards
  // lag by a frame and not by a queue. While the view is moved on a machine that takes long,
  // frames are coarse; a fine one follows.
  var pace = { asked: false, sync: null, moving: false, hurried: false, late: 0, timer: 0 };

  function ask() {
    if (pace.asked || !gl) { return; }
    pace.asked = true;
    if (!pace.sync) { requestAnimationFrame(drawAsked); }
  }
  function askMoving() {
    pace.moving = true;
    pace.hurried = pace.late >= 2;
    clearTimeout(pace.timer);
    if (pace.hurried) { pace.timer = setTimeout(function () { pace.hurried = false; ask(); }, 350); }
    ask();
  }
  function drawAsked() {
    var begun = performance.now(), counts = pace.moving && !pace.hurried;
    pace.asked = pace.moving = false;
    draw();
    pace.sync = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    if (!pace.sync) { return; }
    (function poll() {
      var took = performance.now() - begun;
      if (gl.getSyncParameter(pace.sync, gl.SYNC_STATUS) !== gl.SIGNALED && took < 10000) { setTimeout(poll, 2); return; }
      gl.deleteSync(pace.sync);
      pace.sync = null;
      if (counts) { pace.late = took > SLOW ? pace.late + 1 : Math.max(0, pace.late - 1); }
      if (pace.asked) { requestAnimationFrame(drawAsked); }
    })();
  }

  function draw() {
    if (gl.isContextLost()) { return; }
    var begun = performance.now(), dense = Math.min(window.devicePixelRatio || 1, 2) * (pace.hurried ? 0.6 : 1), size = canvasSize();
    var wide = Math.round(size[0] * dense), high = Math.round(size[1] * dense);
    if (canvas.width !== wide || canvas.height !== high) { canvas.width = wide; canvas.height = high; }
    placeCamera();
    frame.dense = dense;
    frame.shared.screen = [wide, high];
    gl.viewport(0, 0, wide, high);
    var ground = rgb(themeColour("--ground"));
    gl.clearColor(ground[0], ground[1], ground[2], 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
    gl.depthFunc(gl.LEQUAL);
    gl.enable(gl.BLEND);
    gl.blendFuncSeparate(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    drawAxes();
    shownOf("surface").filter(isSolid).forEach(function (layer) { drawSurface(layer, 1); });
    shownOf("slices").filter(isSolid).forEach(drawSlices);
    shownOf("traces").forEach(function (layer) { drawTraces(layer); });
    shownOf("points").forEach(drawPoints);
    shownOf("boxes").forEach(function (layer) { drawLines(layer.lines, { colour: tintOf(layer), thick: 2 * dense }); });
    drawSeeThrough();
    drawPicked();
    placeTags();
    drawCompass();
    timings.frame = performance.now() - begun;
  }

  function isSolid(layer) { return layer.opacity >= 0.995; }
  function shownOf(kind) {
    return layers.filter(function (layer) { return layer.visible && layer.kind === kind && layer.opacity !== 0; });
  }
  function themeColour(name) { return themeColours[name] || (themeColours[name] = getComputedStyle(page).getPropertyValue(name).trim()); }
  var themeColours = {};

  function drawSurface(layer, opacity) {
    use(programs.surface, Object.assign({}, frame.shared, { low: layer.low, size: layer.size, colour: tintOf(layer), opacity: opacity }));
    gl.bindVertexArray(layer.array);
    if (pace.hurried && !layer.coarse) { layer.coarse = makeCoarse(layer); }
    var mesh = pace.hurried ? layer.coarse : layer.fine;
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, mesh.buffer);
    gl.drawElements(gl.TRIANGLES, mesh.n, gl.UNSIGNED_INT, 0);
  }

  // Shells inside shells: the far walls from the outermost in, then the near walls from the innermost out.
  function drawSeeThrough() {
    var shells = shownOf("surface").filter(function (layer) { return !isSolid(layer); });
    shells.sort(function (a, b) { return Math.hypot.apply(null, b.size) - Math.hypot.apply(null, a.size); });
    gl.depthMask(false);
    shownOf("slices").filter(function (layer) { return !isSolid(layer); }).forEach(drawSlices);
    gl.enable(gl.CULL_FACE);
    gl.cullFace(gl.FRONT);
    shells.forEach(function (layer) { drawSurface(layer, layer.opacity); });
    gl.cullFace(gl.BACK);
    shells.reverse().forEach(function (layer) { drawSurface(layer, layer.opacity); });
    gl.disable(gl.CULL_FACE);
    gl.depthMask(true);
  }

  function drawLines(lines, values) {
    if (!lines.n) { return; }
    use(programs.line, Object.assign({}, frame.shared, values));
    gl.bindVertexArray(lines.array);
    gl.drawElements(gl.TRIANGLES, 6 * lines.n, gl.UNSIGNED_INT, 0);
  }

  function bindRamp(layer) {
    if (!layer.ramp) { return; }
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, layer.ramp);
  }

  function drawTraces(layer, pieces) {
    bindRamp(layer);
    drawLines(pieces || layer.pieces, {
      low: layer.low, size: layer.size, colour: tintOf(layer), graded: layer.tones ? 1 : 0, cut: layer.cut,
      thin: 3 * frame.dense, thick: (layer.tones ? 8 : 3) * frame.dense, round: 1
    });
  }

  function drawPoints(layer) {
    bindRamp(layer);
    use(programs.ball, Object.assign({}, frame.shared, {
      low: layer.low, size: layer.size, colour: tintOf(layer), graded: layer.tones ? 1 : 0, diameter: layer.diameter * frame.dense
    }));
    gl.bindVertexArray(layer.array);
    gl.drawArrays(gl.POINTS, 0, layer.points.length / 3);
  }

  function drawSlices(layer) {
    bindRamp(layer);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_3D, layer.texture);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindVertexArray(layer.array);
    layer.planes.forEach(function (plane) {
      if (!plane.visible) { return; }
      var one = [0, 0, 0], two = [0, 0, 0], base = [0, 0, 0];
      one[plane.axis === 0 ? 1 : 0] = 1;
      two[plane.axis === 2 ? 1 : 2] = 1;
      base[plane.axis] = planeShare(plane);
      use(programs.slice, Object.assign({}, frame.shared, {
        corner: layer.corner, east: layer.edges[0], north: layer.edges[1], up: layer.edges[2],
        one: one, two: two, base: base, opacity: layer.opacity, ink: rgb(themeColour("--quiet"))
      }));
      gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    });
  }

  // ---- labels: axes, tags of targets, compass --------------------------------------------------

  var axes = {}, pool = [], pooled = 0;

  function write(text, kind, x, y, shiftX, shiftY, turn) {
    var label = pool[pooled++];
    if (!label) {
      label = document.createElement("span");
      label.setAttribute("aria-hidden", "true");
      overlay.insertBefore(label, overlay.firstChild);
      pool.push(label);
    }
    if (label.textContent !== text) { label.textContent = text; }
    if (label.className !== kind) { label.className = kind; }
    label.style.display = "";
    label.style.transform = "translate(" + x.toFixed(1) + "px," + y.toFixed(1) + "px) translate(" + shiftX.toFixed(1) + "%," + shiftY.toFixed(1) + "%)" + (turn ? " rotate(" + turn.toFixed(1) + "deg)" : "");
  }

  function niceStep(length, n) {
    var rough = length / n, base = Math.pow(10, Math.floor(Math.log10(rough)));
    return base * [1, 2, 5, 10].find(function (k) { return k * base >= rough; });
  }

  function setUpAxes() {
    axes.low = header.low.slice();
    axes.high = header.high.slice();
    var longest = Math.max.apply(null, axes.high.map(function (v, i) { return v - axes.low[i]; })) || 1;
    for (var i = 0; i < 3; i++) {
      var room = Math.max((axes.high[i] - axes.low[i]) * EDGE, longest * 0.012);
      axes.low[i] -= room; axes.high[i] += room;
    }
    var step = niceStep(longest, 8);
    axes.ticks = [0, 1, 2].map(function (i) {
      var length = axes.high[i] - axes.low[i], own = length / step < 2.5 ? niceStep(length, 4) : step, found = [];
      for (var k = Math.ceil((axes.low[i] + origin[i]) / own); k * own <= axes.high[i] + origin[i]; k++) { found.push(k * own - origin[i]); }
      return { places: found, step: own };
    });
    axes.lines = makeLooseLines();
    axes.frame = makeLooseLines();
  }

  // The three walls behind the scene, ruled; numbers along the edges where no wall hides them.
  function drawAxes() {
    var middle = axes.low.map(function (v, i) { return (v + axes.high[i]) / 2 * (i === 2 ? camera.tall : 1); });
    var seen = camera.parallel ? frame.way.ahead.map(function (v) { return -v; }) : plus(frame.eye, middle, -1);
    var back = [0, 1, 2].map(function (i) { return seen[i] > 0 ? axes.low[i] : axes.high[i]; });
    var front = [0, 1, 2].map(function (i) { return seen[i] > 0 ? axes.high[i] : axes.low[i]; });
    var rules = [], rims = [];
    for (var wall = 0; wall < 3; wall++) {
      for (var k = 1; k < 3; k++) {
        var along = (wall + k) % 3, other = (wall + 3 - k) % 3;
        axes.ticks[along].places.forEach(function (tick) {
          var a = [], b = [];
          a[wall] = b[wall] = back[wall]; a[along] = b[along] = tick; a[other] = axes.low[other]; b[other] = axes.high[other];
          rules.push(a[0], a[1], a[2], b[0], b[1], b[2]);
        });
        [axes.low[along], axes.high[along]].forEach(function (end) {
          var a = [], b = [];
          a[wall] = b[wall] = back[wall]; a[along] = b[along] = end; a[other] = axes.low[other]; b[other] = axes.high[other];
          rims.push(a[0], a[1], a[2], b[0], b[1], b[2]);
        });
      }
    }
    fillLines(axes.lines, rules);
    fillLines(axes.frame, rims);
    gl.depthMask(false);
    drawLines(axes.lines, { colour: rgb(themeColour("--faint")), thick: frame.dense });
    drawLines(axes.frame, { colour: rgb(themeColour("--quiet")), thick: frame.dense });
    gl.depthMask(true);
    pooled = 0;
    for (var axis = 0; axis < 3; axis++) { writeAxis(axis, back, front); }
    for (var rest = pooled; rest < pool.length; rest++) { pool[rest].style.display = "none"; }
  }

  function writeAxis(axis, back, front) {
    var one = (axis + 1) % 3, two = (axis + 2) % 3, best = null;
    [[back[one], front[two]], [front[one], back[two]]].forEach(function (pair) {
      var at = [], from, to;
      at[one] = pair[0]; at[two] = pair[1];
      at[axis] = axes.low[axis]; from = project(at);
      at[axis] = axes.high[axis]; to = project(at);
      if (!from || !to) { return; }
      var length = Math.hypot(to[0] - from[0], to[1] - from[1]);
      var middle = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2], worth = (axis === 2 ? -middle[0] : middle[1]) + Math.min(length, 60) * 50;
      if (!best || worth > best.worth) { best = { worth: worth, at: at, from: from, to: to, length: length, middle: middle }; }
    });
    if (!best || best.length < 50) { return; }
    var centre = project(axes.low.map(function (v, i) { return (v + axes.high[i]) / 2; })) || [frame.size[0] / 2, frame.size[1] / 2];
    var out = [-(best.to[1] - best.from[1]) / best.length, (best.to[0] - best.from[0]) / best.length];
    if (out[0] * (best.middle[0] - centre[0]) + out[1] * (best.middle[1] - centre[1]) < 0) { out = [-out[0], -out[1]]; }
    var shiftX = -50 + 50 * out[0], shiftY = -50 + 50 * out[1], ticks = axes.ticks[axis].places;
    var each = Math.max(1, Math.ceil((axis === 2 || Math.abs(out[0]) > 0.7 ? 22 : 62) * ticks.length / best.length));
    ticks.forEach(function (tick, i) {
      if (i % each) { return; }
      best.at[axis] = tick;
      var p = project(best.at);
      if (p) { write(metres(tick + origin[axis], axes.ticks[axis].step), "tick", p[0] + out[0] * 7, p[1] + out[1] * 7, shiftX, shiftY); }
    });
    // The title runs along its axis, beyond the numbers.
    var far = 34 + (axis === 2 ? 20 : 44) * Math.abs(out[0]), turn = Math.atan2(best.to[1] - best.from[1], best.to[0] - best.from[0]) * 180 / Math.PI;
    if (turn > 90) { turn -= 180; } else if (turn <= -89) { turn += turn < -91 ? 180 : 0; }
    write(["Easting [m]", "Northing [m]", "Elevation [m]"][axis], "axis", best.middle[0] + out[0] * far, best.middle[1] + out[1] * far, -50, -50, turn);
  }

  function metres(value, step) {
    var digits = step === undefined ? 1 : Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    return value.toLocaleString("en-US", { maximumFractionDigits: digits }).replace("-", "−").replace(/^−0$/, "0");
  }

  // A tag that would cover one before it moves up, or down where there is no room above.
  function placeTags() {
    var taken = [];
    layers.forEach(function (layer) {
      (layer.tags || []).forEach(function (tag) {
        var p = layer.visible ? project(tag.at) : null, is = p && p[0] > -40 && p[0] < frame.size[0] + 40 && p[1] > 0 && p[1] < frame.size[1] + 20;
        tag.own.style.display = is ? "" : "none";
        if (!is) { return; }
        tag.wide = tag.wide || tag.own.offsetWidth; tag.tall = tag.tall || tag.own.offsetHeight;
        var y = freeHeight(taken, p[0], p[1] - 1.35 * tag.tall, tag.wide + 3, tag.tall + 2);
        taken.push([p[0], y, tag.wide, tag.tall]);
        tag.own.style.transform = "translate(" + p[0].toFixed(1) + "px," + y.toFixed(1) + "px) translate(-50%,0)";
      });
    });
  }

  function freeHeight(taken, x, y, wide, tall) {
    for (var k = 0; k < 24; k++) {
      var at = y + (k % 2 ? -1 : 1) * Math.ceil(k / 2) * tall;
      if (at >= 0 && taken.every(function (each) { return Math.abs(each[0] - x) >= (each[2] + wide) / 2 || Math.abs(each[1] - at) >= tall; })) { return at; }
    }
    return y;
  }

  var needles = null;
  function makeCompass() {
    var space = "http://www.w3.org/2000/svg";
    needles = [["N", [0, 1, 0], "--rust"], ["E", [1, 0, 0], "--quiet"], ["Up", [0, 0, 1], "--quiet"]].map(function (row) {
      var line = document.createElementNS(space, "line"), text = document.createElementNS(space, "text");
      text.textContent = row[0];
      line.style.stroke = "var(" + row[2] + ")";
      if (row[0] === "N") { line.style.strokeWidth = "4px"; text.style.fill = "var(--rust)"; }
      byId("compass").append(line, text);
      return { line: line, text: text, way: row[1] };
    });
  }
  function drawCompass() {
    needles.forEach(function (needle) {
      var x = dot(needle.way, frame.way.side), y = -dot(needle.way, frame.way.above), flat = Math.hypot(x, y), far = flat < 0.25;
      needle.line.setAttribute("x2", (x * 28).toFixed(1));
      needle.line.setAttribute("y2", (y * 28).toFixed(1));
      needle.text.setAttribute("x", (x * 40).toFixed(1));
      needle.text.setAttribute("y", (y * 40).toFixed(1));
      needle.text.style.display = far ? "none" : "";
    });
  }

  // ---- picking ---------------------------------------------------------------------------------

  var picked = null, pickedLines = null, pickedHole = null;

  // What stands under a pixel: traces and points first, then boxes of targets, slices, surfaces.
  function pick(x, y, withSurfaces) {
    var found = null;
    shownOf("points").forEach(function (layer) { found = pickPoint(layer, x, y, found); });
    shownOf("traces").forEach(function (layer) { found = pickTrace(layer, x, y, found); });
    var ray = rayThrough(x, y), solid = null;
    shownOf("slices").forEach(function (layer) { solid = pickSlice(layer, ray, solid); });
    if (withSurfaces) { shownOf("surface").forEach(function (layer) { solid = pickSurface(layer, ray, solid); }); }
    if (!found || !solid) { return found || solid; }
    var depth = project(solid.at), hides = isSolid(solid.layer);
    return hides && depth && depth[2] < found.depth - 1e-6 ? solid : found;
  }

  function pickPoint(layer, x, y, best) {
    var points = layer.points, close = layer.diameter / 2 + 3;
    for (var i = 0; i < points.length; i += 3) {
      var p = project([points[i], points[i + 1], points[i + 2]]);
      if (!p) { continue; }
      var gap = Math.hypot(p[0] - x, p[1] - y);
      if (gap < close && (!best || p[2] < best.depth)) {
        best = { layer: layer, kind: "points", row: i / 3, depth: p[2], gap: gap, at: [points[i], points[i + 1], points[i + 2]] };
      }
    }
    return best;
  }

  function pickTrace(layer, x, y, best) {
    var n = layer.points.length / 3, flat = new Float32Array(3 * n), p = layer.points, m = frame.view, tall = camera.tall;
    for (var i = 0, j = 0; i < n; i++, j += 3) { // all points once, by hand: there may be 50,000
      var z = p[j + 2] * tall, w = m[3] * p[j] + m[7] * p[j + 1] + m[11] * z + m[15], k = w > frame.shared.nearest ? 1 / w : NaN;
      flat[j] = ((m[0] * p[j] + m[4] * p[j + 1] + m[8] * z + m[12]) * k + 1) * frame.size[0] / 2;
      flat[j + 1] = (1 - (m[1] * p[j] + m[5] * p[j + 1] + m[9] * z + m[13]) * k) * frame.size[1] / 2;
      flat[j + 2] = (m[2] * p[j] + m[6] * p[j + 1] + m[10] * z + m[14]) * k;
    }
    for (var s = 0; s < layer.begins.length; s++) {
      var a = 3 * layer.begins[s], b = 3 * layer.stops[s], ax = flat[a], ay = flat[a + 1], ux = flat[b] - ax, uy = flat[b + 1] - ay;
      var share = Math.min(1, Math.max(0, ((x - ax) * ux + (y - ay) * uy) / (ux * ux + uy * uy || 1)));
      var gap = Math.hypot(ax + share * ux - x, ay + share * uy - y);
      if (!(gap < 6)) { continue; }
      var depth = flat[a + 2] + share * (flat[b + 2] - flat[a + 2]);
      if (!best || gap + 400 * (depth - best.depth) < best.gap) {
        best = { layer: layer, kind: "traces", row: s, depth: depth, gap: gap, at: [0, 1, 2].map(function (c) { return p[a + c] + share * (p[b + c] - p[a + c]); }) };
      }
    }
    return best;
  }

  function pickSlice(layer, ray, best) {
    layer.planes.forEach(function (plane) {
      if (!plane.visible) { return; }
      var edge = layer.edges[plane.axis], normal = unit(edge), on = plus(layer.corner, edge, planeShare(plane));
      var slope = dot(normal, ray.to), along = dot(normal, plus(on, ray.from, -1)) / slope;
      if (!(along > 0) || (best && along >= best.along)) { return; }
      var at = plus(ray.from, ray.to, along), inside = plus(at, layer.corner, -1);
      var share = layer.edges.map(function (own) { return dot(inside, own) / dot(own, own); });
      share[plane.axis] = planeShare(plane);
      if (share.some(function (v) { return v < 0 || v >= 1; })) { return; }
      var cell = share.map(function (v, i) { return Math.floor(v * layer.shape[2 - i]); });
      var tone = layer.tones[(cell[2] * layer.shape[1] + cell[1]) * layer.shape[2] + cell[0]];
      if (tone) { best = { layer: layer, kind: "slices", plane: plane, tone: tone, along: along, at: at }; }
    });
    return best;
  }

  function pickSurface(layer, ray, best) {
    var p = layer.points, c = layer.corners, d = ray.to, o = ray.from, most = best ? best.along : Infinity, hit = null;
    for (var t = 0; t < c.length; t += 3) { // Moller & Trumbore (1997)
      var i = 3 * c[t], j = 3 * c[t + 1], k = 3 * c[t + 2];
      var ux = p[j] - p[i], uy = p[j + 1] - p[i + 1], uz = p[j + 2] - p[i + 2], vx = p[k] - p[i], vy = p[k + 1] - p[i + 1], vz = p[k + 2] - p[i + 2];
      var qx = d[1] * vz - d[2] * vy, qy = d[2] * vx - d[0] * vz, qz = d[0] * vy - d[1] * vx, det = ux * qx + uy * qy + uz * qz;
      if (det === 0) { continue; }
      var sx = o[0] - p[i], sy = o[1] - p[i + 1], sz = o[2] - p[i + 2], a = (sx * qx + sy * qy + sz * qz) / det;
      if (a < 0 || a > 1) { continue; }
      var rx = sy * uz - sz * uy, ry = sz * ux - sx * uz, rz = sx * uy - sy * ux, b = (d[0] * rx + d[1] * ry + d[2] * rz) / det;
      if (b < 0 || a + b > 1) { continue; }
      var along = (vx * rx + vy * ry + vz * rz) / det;
      if (along > 0 && along < most) { most = along; hit = plus(o, d, along); }
    }
    return hit ? { layer: layer, kind: "surface", along: most, at: hit } : best;
  }

  function withUnit(layer, text) { return layer.scale.unit ? text + " " + layer.scale.unit : text; }
  function written(value) {
    if (!isFinite(value)) { return "not known"; }
    return Number(value.toPrecision(4)).toLocaleString("en-US", { maximumSignificantDigits: 4 }).replace("-", "−");
  }
  function valueAt(scale, share) {
    return scale.log ? scale.low * Math.pow(scale.high / scale.low, share) : scale.low + share * (scale.high - scale.low);
  }
  function slicedValue(layer, tone) {
    var scale = layer.scale, value = written(Number(valueAt(scale, (tone - 1) / 254).toPrecision(3)));
    if (tone === 255 && scale.above) { value = "≥ " + value; }
    if (tone === 1 && scale.below) { value = "≤ " + value; }
    return withUnit(layer, value);
  }

  // Title and rows that tell what was found.
  function tell(found) {
    var layer = found.layer, rows = [], title = layer.name, name = layer.scale && (layer.scale.quantity || "Value");
    if (found.kind === "traces") {
      title = layer.holes[layer.owners[found.row]];
      if (layer.grades) { rows.push([name, withGrade(layer, found.row)]); }
      if (layer.along) { rows.push(["Depth", metres(layer.along[2 * found.row]) + " to " + metres(layer.along[2 * found.row + 1]) + " m"]); }
    } else if (found.kind === "points") {
      title = layer.labels[found.row] || layer.name;
      if (layer.grades) { rows.push([name, withGrade(layer, found.row)]); }
    } else if (found.kind === "boxes") {
      title = layer.labels[found.row];
      rows = layer.facts[found.row].slice();
    } else if (found.kind === "slices") {
      rows.push([name, slicedValue(layer, found.tone)]);
    } else if (layer.note) {
      rows.push(["What", layer.note]);
    }
    var known = rows.length;
    if (title !== layer.name) { rows.push(["Layer", layer.name]); }
    ["Easting", "Northing", "Elevation"].forEach(function (axis, i) { rows.push([axis, metres(found.at[i] + origin[i]) + " m"]); });
    return { title: title, rows: rows, known: known };
  }
  function withGrade(layer, row) {
    var grade = layer.grades[row];
    return isFinite(grade) ? withUnit(layer, written(grade)) : "not known";
  }

  function element(tag, text, kind) {
    var made = document.createElement(tag);
    if (text !== undefined) { made.textContent = text; }
    if (kind) { made.className = kind; }
    return made;
  }

  function choose(found) {
    picked = found;
    var card = byId("picked");
    card.textContent = "";
    card.hidden = !found;
    layers.forEach(function (layer) {
      (layer.tags || []).forEach(function (tag, i) {
        tag.own.setAttribute("aria-pressed", String(!!found && found.kind === "boxes" && found.layer === layer && found.row === i));
      });
    });
    if (found) {
      var words = tell(found), list = element("dl"), close = element("button", "×");
      close.type = "button";
      close.setAttribute("aria-label", "Close");
      close.addEventListener("click", function () { choose(null); });
      words.rows.forEach(function (row) { list.append(element("dt", row[0]), element("dd", row[1])); });
      card.append(close, element("h2", words.title), list);
      byId("panel").scrollTop = 0;
    }
    fillLines(pickedLines, found ? linesOf(found) : []);
    if (pickedHole) { dropPieces(pickedHole); }
    pickedHole = found && found.kind === "traces" ? holePieces(found.layer, found.layer.owners[found.row]) : null;
    ask();
  }

  function holePieces(layer, owner) {
    var rows = [];
    layer.owners.forEach(function (own, row) { if (own === owner) { rows.push(row); } });
    var of = function (array) { return array && rows.map(function (row) { return array[row]; }); };
    return makePieces(layer.steps, of(layer.begins), of(layer.stops), of(layer.tones));
  }

  // The box for a target, a small cross for any other place.
  function linesOf(found) {
    var layer = found.layer, lines = [], at = found.at;
    if (found.kind === "boxes") { return boxLines(layer.lows[found.row], layer.highs[found.row]); }
    var arm = reach() * 0.012;
    for (var axis = 0; axis < 3; axis++) {
      var a = at.slice(), b = at.slice();
      a[axis] -= arm; b[axis] += arm;
      lines.push(a[0], a[1], a[2], b[0], b[1], b[2]);
    }
    return lines;
  }
  function drawPicked() {
    if (!picked || !picked.layer.visible) { return; }
    gl.disable(gl.DEPTH_TEST);
    if (pickedHole) { // the whole hole in its colours, rimmed, whatever stands before it
      drawLines(pickedHole, { low: picked.layer.low, size: picked.layer.size, colour: rgb(themeColour("--ink")), thick: 10 * frame.dense });
      drawTraces(picked.layer, pickedHole);
    }
    drawLines(pickedLines, { colour: rgb(themeColour("--ink")), thick: (picked.kind === "boxes" ? 3 : 1.6) * frame.dense });
    gl.enable(gl.DEPTH_TEST);
  }

  function showHint(found, x, y) {
    hint.hidden = !found;
    canvas.style.cursor = found ? "pointer" : "";
    if (!found) { return; }
    var words = tell(found);
    hint.textContent = "";
    hint.append(element("b", words.title));
    words.rows.slice(0, Math.min(words.known, 2)).forEach(function (row) { hint.append(element("span", row[0] + ": " + row[1])); });
    var left = x + 16 + hint.offsetWidth > frame.size[0] ? x - 12 - hint.offsetWidth : x + 16;
    var top = y + 16 + hint.offsetHeight > frame.size[1] ? y - 10 - hint.offsetHeight : y + 16;
    hint.style.transform = "translate(" + Math.max(left, 2) + "px," + Math.max(top, 2) + "px)";
  }

  // ---- panel -----------------------------------------------------------------------------------

  function control(label, low, high, step, value, show, onInput) {
    var row = element("div", undefined, "control"), name = element("span", label), range = element("input"), said = element("output");
    range.type = "range";
    range.min = low; range.max = high; range.step = step; range.value = value;
    range.setAttribute("aria-label", label);
    var tell = function () { said.textContent = show(Number(range.value)); range.setAttribute("aria-valuetext", said.textContent); };
    range.addEventListener("input", function () { onInput(Number(range.value)); tell(); ask(); });
    tell();
    row.append(name, range, said);
    return row;
  }

  function addRow(layer) {
    var row = element("div", undefined, "layer"), head = element("label", undefined, "head"), box = element("input");
    box.type = "checkbox";
    box.checked = layer.visible;
    head.append(box);
    if (layer.colour && !layer.scale) {
      var swatch = element("span", undefined, "swatch");
      swatch.style.background = layer.colour;
      head.append(swatch);
    }
    head.append(element("span", layer.name, "name"));
    row.append(head, element("p", layer.content, "content"));
    if (layer.kind === "surface" || layer.kind === "slices") {
      row.append(control("Opacity", 0.05, 1, 0.05, layer.opacity, function (v) { return Math.round(100 * v) + " %"; }, function (v) { layer.opacity = v; }));
    }
    if (layer.kind === "traces" && layer.scale) {
      row.append(control("Grades from", 0, 1, 0.01, 0, function (v) { return v ? withUnit(layer, written(Number(valueAt(layer.scale, v).toPrecision(3)))) : "all"; }, function (v) { layer.cut = v; }));
    }
    if (layer.kind === "slices") { [2, 1, 0].forEach(function (axis) { row.append(sliceControl(layer, layer.planes[axis])); }); }
    box.addEventListener("change", function () { layer.visible = box.checked; pace.late = 0; row.classList.toggle("off", !box.checked); drawLegend(); ask(); });
    row.classList.toggle("off", !layer.visible);
    byId("layers").append(row);
  }

  function sliceControl(layer, plane) {
    var words = { elevation: "Level", northing: "Northing", easting: "Easting" }, box = element("input"), label = element("label");
    var row = control(words[plane.name], 0, plane.n - 1, 1, plane.index, function (v) {
      return metres(layer.starts[plane.axis][0] + v * layer.starts[plane.axis][1]) + " m";
    }, function (v) { plane.index = v; });
    box.type = "checkbox";
    box.checked = plane.visible;
    box.setAttribute("aria-label", "Show " + words[plane.name].toLowerCase() + " slice");
    label.append(box, element("span", words[plane.name]));
    if (layer.turned && plane.axis < 2) { label.title = "Along the turned model's own axis"; }
    row.replaceChild(label, row.firstChild);
    row.children[1].setAttribute("aria-label", words[plane.name] + " of the slice");
    box.addEventListener("change", function () { plane.visible = box.checked; ask(); });
    return row;
  }

  function ticksOf(scale) {
    var found = [], k;
    if (scale.log) {
      var decades = Math.log10(scale.high / scale.low), parts = decades > 2.5 ? [1] : decades > 1.2 ? [1, 3] : [1, 2, 5];
      for (k = Math.floor(Math.log10(scale.low)); k <= Math.log10(scale.high); k++) {
        parts.forEach(function (part) { found.push(part * Math.pow(10, k)); });
      }
      found = found.filter(function (v) { return v >= scale.low * 0.999 && v <= scale.high * 1.001; });
    }
    if (found.length < 2) {
      var step = niceStep(scale.high - scale.low, 4);
      found = [];
      for (k = Math.ceil(scale.low / step - 1e-9); k * step <= scale.high + step * 1e-9; k++) { found.push(k * step); }
    }
    return found.map(function (v) {
      return [v, scale.log ? Math.log(v / scale.low) / Math.log(scale.high / scale.low) : (v - scale.low) / (scale.high - scale.low)];
    });
  }

  function drawLegend() {
    var legend = byId("legend");
    legend.textContent = "";
    var graded = layers.filter(function (layer) { return layer.visible && layer.scale; });
    graded.forEach(function (layer) {
      var scale = layer.scale, block = element("div", undefined, "scale"), title = element("div", scale.quantity || layer.name, "title");
      var bits = [scale.unit, scale.log ? "log scale" : ""].filter(Boolean);
      var twins = graded.filter(function (other) { return other.scale.quantity === scale.quantity; });
      title.append(element("span", (bits.length ? " [" + bits.join(", ") + "]" : "") + (twins.length > 1 ? " · " + layer.name : "")));
      var bar = element("div", undefined, "bar"), ticks = element("div", undefined, "ticks");
      bar.style.background = "linear-gradient(to right," + scale.ramp.join(",") + ")";
      // Where colours are cut off, the end says so; round numbers stand between.
      var first = (scale.below ? "≤ " : "") + written(Number(scale.low.toPrecision(3))), last = (scale.above ? "≥ " : "") + written(Number(scale.high.toPrecision(3)));
      var marks = ticksOf(scale).filter(function (tick) { return tick[1] > 0.08 + 0.025 * first.length && tick[1] < 0.92 - 0.025 * last.length; });
      [[first, 0, "first"]].concat(marks.map(function (tick) { return [written(tick[0]), tick[1], ""]; }), [[last, 1, "last"]]).forEach(function (tick) {
        var mark = element("span", tick[0], tick[2]);
        mark.style.left = (100 * tick[1]).toFixed(2) + "%";
        ticks.append(mark);
      });
      block.setAttribute("role", "img");
      block.setAttribute("aria-label", (scale.quantity || layer.name) + " from " + withUnit(layer, written(scale.low)) + " to " + withUnit(layer, written(scale.high)) + (scale.log ? ", log scale" : ""));
      block.append(title, bar, ticks);
      if (scale.missing && layer.kind !== "slices") {
        title.append(element("i"), element("span", "not known"));
      }
      legend.append(block);
    });
  }

  function fillPanel() {
    layers.forEach(addRow);
    drawLegend();
    var notes = header.notes.slice();
    if (header.crs) { notes.push("Coordinates in metres, " + header.crs + "."); }
    byId("notes").textContent = notes.join("\n\n");
  }

  // ---- input -----------------------------------------------------------------------------------

  var pointers = new Map(), moved = 0, hoverAsked = false;

  function orbit(dx, dy) {
    camera.azimuth = (camera.azimuth + dx + 360) % 360;
    camera.tilt = Math.min(90, Math.max(-90, camera.tilt + dy));
    askMoving();
  }
  function pan(dx, dy) {
    camera.target = plus(plus(camera.target, frame.way.side, -dx * frame.metre), frame.way.above, dy * frame.metre);
    askMoving();
  }
  function zoom(factor, x, y) {
    var r = reach(), before = camera.distance;
    camera.distance = Math.min(Math.max(before * factor, r * 0.005), r * 30);
    var share = 1 - camera.distance / before; // keep what is under the pointer there
    if (x !== undefined) { pan((frame.size[0] / 2 - x) * share, (frame.size[1] / 2 - y) * share); }
    askMoving();
  }

  function onDown(event) {
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
    moved = pointers.size > 1 ? 99 : 0;
    canvas.classList.add("turning");
    showHint(null);
  }
  function onMove(event) {
    var before = pointers.get(event.pointerId), now = [event.offsetX, event.offsetY];
    if (!before) { hover(now); return; }
    var dx = now[0] - before[0], dy = now[1] - before[1];
    moved += Math.abs(dx) + Math.abs(dy);
    if (moved < 4) { return; }
    pointers.set(event.pointerId, now);
    if (pointers.size === 2) {
      var other = Array.from(pointers.entries()).find(function (entry) { return entry[0] !== event.pointerId; })[1];
      var gap = Math.hypot(now[0] - other[0], now[1] - other[1]) || 1, old = Math.hypot(before[0] - other[0], before[1] - other[1]) || 1;
      pan(dx / 2, dy / 2);
      zoom(old / gap, (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    } else if (event.shiftKey || event.ctrlKey || event.buttons & 6) {
      pan(dx, dy);
    } else {
      orbit(dx * 0.35, dy * 0.35);
    }
  }
  function onUp(event) {
    pointers.delete(event.pointerId);
    if (!pointers.size) { canvas.classList.remove("turning"); }
    if (event.type === "pointerup" && moved < 4 && event.button === 0) { choose(pick(event.offsetX, event.offsetY, true)); }
  }
  function hover(at) {
    if (hoverAsked || !frame.view) { return; }
    hoverAsked = true;
    requestAnimationFrame(function () {
      hoverAsked = false;
      if (!pointers.size) { showHint(pick(at[0], at[1], false), at[0], at[1]); }
    });
  }
  function onKey(event) {
    var step = 5, push = 30, keys = {
      ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]
    }, way = keys[event.key];
    if (event.altKey || event.metaKey || event.ctrlKey || event.target.tagName === "INPUT") { return; }
    if (way && event.shiftKey) { pan(-way[0] * push, -way[1] * push); }
    else if (way) { orbit(way[0] * step, -way[1] * step); }
    else if (event.key === "+" || event.key === "=") { zoom(1 / 1.15); }
    else if (event.key === "-") { zoom(1.15); }
    else if ("0123".indexOf(event.key) >= 0) { turnTo(["reset", "top", "north", "east"][Number(event.key)]); }
    else if (event.key === "p") { byId("projection").click(); }
    else if (event.key === "d") { byId("theme").click(); }
    else if (event.key === "l") { byId("fold").click(); }
    else if (event.key === "Escape") { choose(null); }
    else { return; }
    event.preventDefault();
  }

  function setTheme(name) {
    page.dataset.theme = name;
    themeColours = {};
    byId("theme").setAttribute("aria-pressed", String(name === "dark"));
    ask();
  }

  function listen() {
    canvas.addEventListener("pointerdown", onDown);
    canvas.addEventListener("pointermove", onMove);
    canvas.addEventListener("pointerup", onUp);
    canvas.addEventListener("pointercancel", onUp);
    canvas.addEventListener("pointerleave", function () { showHint(null); });
    canvas.addEventListener("contextmenu", function (event) { event.preventDefault(); });
    canvas.addEventListener("wheel", function (event) {
      event.preventDefault();
      showHint(null);
      zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY * (event.deltaMode ? 16 : 1))) * 0.0022), event.offsetX, event.offsetY);
    }, { passive: false });
    canvas.addEventListener("dblclick", function (event) {
      var found = pick(event.offsetX, event.offsetY, true);
      if (found) { camera.target = [found.at[0], found.at[1], found.at[2] * camera.tall]; ask(); }
    });
    document.addEventListener("keydown", onKey);
    document.querySelectorAll("[data-view]").forEach(function (button) {
      button.addEventListener("click", function () { turnTo(button.dataset.view); });
    });
    byId("projection").addEventListener("click", function () {
      setParallel(!camera.parallel);
      ask();
    });
    byId("tall").addEventListener("input", function (event) {
      var value = Number(event.target.value);
      camera.target[2] *= value / camera.tall;
      camera.tall = value;
      byId("tall-value").textContent = String(value);
      ask();
    });
    byId("theme").addEventListener("click", function () { setTheme(page.dataset.theme === "dark" ? "light" : "dark"); });
    byId("fold").addEventListener("click", function () {
      var panel = byId("panel");
      panel.hidden = !panel.hidden;
      byId("fold").setAttribute("aria-expanded", String(!panel.hidden));
      ask();
    });
    new ResizeObserver(ask).observe(stage);
    canvas.addEventListener("webglcontextlost", function (event) {
      event.preventDefault();
      say("The graphics card dropped the picture.", "Reload the page to draw it again.");
    });
  }

  // ---- start -----------------------------------------------------------------------------------

  function say(what, then) {
    var message = byId("message");
    message.textContent = "";
    message.append(element("p", what), element("p", then));
    message.hidden = false;
  }
  function giveUp(what, then) {
    page.classList.add("flat");
    page.dataset.drawn = "never";
    byId("listing").open = true;
    say(what, then);
  }

  async function start() {
    header = JSON.parse(byId("header").textContent);
    origin = header.origin;
    gl = canvas.getContext("webgl2", { antialias: true, alpha: false, powerPreference: "high-performance" });
    if (!gl || typeof DecompressionStream === "undefined") {
      giveUp("This browser cannot draw the 3D view: it lacks " + (gl ? "DecompressionStream" : "WebGL 2") + ".",
        "Open the file in a recent Chrome, Edge, Firefox or Safari with graphics switched on. Layers and targets are listed below.");
      return;
    }
    var store = await unpackPayload();
    timings.unpacked = performance.now() - timings.begun;
    programs = { surface: buildProgram(SURFACE), line: buildProgram(LINE), ball: buildProgram(BALL), slice: buildProgram(SLICE) };
    layers = header.layers;
    var makers = { surface: makeSurface, traces: makeTraces, points: makePoints, boxes: makeBoxes, slices: makeSlices };
    layers.forEach(function (layer) { makers[layer.kind](layer, store); });
    pickedLines = makeLooseLines();
    setUpAxes();
    makeCompass();
    fillPanel();
    listen();
    setTheme(window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    turnTo("reset");
    timings.uploaded = performance.now() - timings.begun;
    draw();
    gl.finish();
    timings.first = performance.now() - timings.begun;
    window.scene3d = { camera: camera, pace: pace, timings: timings, draw: draw, pick: pick, project: project, layers: layers, gl: gl };
    page.dataset.drawn = "yes";
  }

  start().catch(function (error) {
    giveUp("The 3D view could not be drawn.", String(error && error.message || error));
  });
})();
