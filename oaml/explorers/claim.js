// The claim, by hand: a covered face that can be dragged and painted, and what Python says of it. `model` is that of an anywidget.

const SIDE = 112, DRAWN = 448, SQUARES = 7, STEP = 2, FAR_STEP = 10;
const LOOKS = { clean: "4 3", common: "", calibrated: "" };
const CSS = `
.oaml-claim { --common: #c24e00; --calibrated: #0072b2; --grid: #8888; font: 14px/1.4 system-ui, sans-serif; color: var(--jp-content-font-color1, CanvasText); max-width: 1180px; padding: 0 5px; }
[data-jp-theme-light="false"] .oaml-claim { --common: #f08a4b; --calibrated: #56b4e9; }
.oaml-claim .row { display: flex; flex-wrap: wrap; gap: 16px; align-items: flex-start; margin: 8px 0; }
.oaml-claim figure { margin: 0; } .oaml-claim figcaption { max-width: 224px; }
.oaml-claim canvas { display: block; width: 224px; height: 224px; border-radius: 4px; }
.oaml-claim canvas.probe { cursor: grab; touch-action: none; } .oaml-claim.painting canvas.probe { cursor: crosshair; }
.oaml-claim :focus { outline: 3px solid var(--calibrated); outline-offset: 2px; }
.oaml-claim button { font: inherit; padding: 2px 10px; margin: 0 6px 0 0; color: inherit; background: transparent; border: 1px solid currentColor; border-radius: 4px; cursor: pointer; }
.oaml-claim button[aria-pressed="true"] { background: #0072b2; color: #fff; border-color: #0072b2; }
.oaml-claim .side { flex: 1 1 440px; min-width: min-content; } .oaml-claim td { white-space: nowrap; } .oaml-claim table { border-collapse: collapse; font: inherit; font-size: 13px; color: inherit; margin: 0; } .oaml-claim th { font-weight: 600; vertical-align: bottom; max-width: 96px; white-space: normal; }
.oaml-claim th, .oaml-claim td { padding: 4px 6px; text-align: right; border-bottom: 1px solid var(--grid); background: transparent; color: inherit; }
.oaml-claim th:first-child, .oaml-claim td:first-child { text-align: left; }
.oaml-claim .wrong { font-weight: 700; } .oaml-claim .swatch { display: inline-block; width: 14px; height: 4px; margin-right: 6px; vertical-align: middle; }
.oaml-claim p { margin: 6px 0; } .oaml-claim .quiet { opacity: 0.85; font-size: 13px; } .oaml-claim svg text { fill: currentColor; font-size: 12px; }
`;

const limit = (x, low, high) => Math.min(high, Math.max(low, x));

function make(tag, name, parent, text = "") {
  const el = document.createElement(tag);
  if (name) el.className = name;
  el.textContent = text;
  parent.append(el);
  return el;
}

function paintPixels(canvas, bytes) {
  const image = new ImageData(SIDE, SIDE);
  for (let i = 0; i < SIDE * SIDE; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = bytes[3 * i + c];
    image.data[4 * i + 3] = 255;
  }
  const small = document.createElement("canvas");
  small.width = small.height = SIDE;
  small.getContext("2d").putImageData(image, 0, 0);
  canvas.getContext("2d").drawImage(small, 0, 0, DRAWN, DRAWN);
}

// ---- the distributions ----------------------------------------------------------------------------------------------------

function axis(ticks, x, y, vertical, label) {
  const marks = ticks.map(([at, text]) => vertical
    ? `<line x1="${x - 4}" x2="${x}" y1="${at}" y2="${at}" stroke="currentColor"/><text x="${x - 6}" y="${at + 4}" text-anchor="end">${text}</text>`
    : `<line x1="${at}" x2="${at}" y1="${y}" y2="${y + 4}" stroke="currentColor"/><text x="${at}" y="${y + 17}" text-anchor="middle">${text}</text>`);
  return marks.join("") + label;
}

// Steps of a histogram, each bin a height in pixels.
const steps = (edges, heights, X, Y) =>
  heights.map((h, k) => `${k ? "L" : "M"}${X(edges[k]).toFixed(1)},${Y(h).toFixed(1)}L${X(edges[k + 1]).toFixed(1)},${Y(h).toFixed(1)}`).join("");

function panel(told, left, width, [low, high], Y, heights, yTicks, title) {
  const top = 24, bottom = 190, X = (s) => left + ((limit(s, low, high) - low) / (high - low)) * width;
  const keep = told.edges.map((e, k) => k).filter((k) => told.edges[k] >= low - 1e-9 && told.edges[k] < high - 1e-9);
  const edges = [...keep.map((k) => told.edges[k]), high];
  const ticks = [-0.5, 0, 0.5, 1].filter((t) => t >= low && t <= high).map((t) => [X(t), t]);
  let out = `<text x="${left}" y="14" font-weight="600">${title}</text><path d="M${left},${top}V${bottom}H${left + width}" fill="none" stroke="currentColor"/>`;
  out += axis(ticks, left, bottom, false, `<text x="${left + width / 2}" y="${bottom + 34}" text-anchor="middle">score of strangers</text>`);
  out += axis(yTicks, left, bottom, true, "");
  for (const [name, dash] of Object.entries(LOOKS)) {
    const colour = name === "clean" ? "currentColor" : `var(--${name})`;
    out += `<path d="${steps(edges, keep.map((k) => heights[name][k]), X, Y)}" fill="none" stroke="${colour}" stroke-width="2" stroke-dasharray="${dash}"/>`;
  }
  out += `<line x1="${X(told.threshold)}" x2="${X(told.threshold)}" y1="${top}" y2="${bottom}" stroke="currentColor" stroke-width="1.5"/>`;
  for (const name of ["common", "calibrated"]) {
    const x = X(told.scores[name]);
    out += `<path d="M${x},${bottom}l-6,-11h12z" fill="var(--${name})"/>`;
  }
  return out;
}

function chart(told) {
  const density = {}, share = {};
  for (const [name, counts] of Object.entries(told.counts)) {
    const all = counts.reduce((a, b) => a + b, 0);
    let above = all;
    density[name] = counts.map((n) => n / all);
    share[name] = counts.map((n) => { const s = above / all; above -= n; return s; });
  }
  const most = Math.max(...Object.values(density).flat()), flat = (h) => 190 - (h / most) * 160;
  const log = (h) => 190 - ((Math.log10(Math.max(h, 1e-5)) + 5) / 5) * 160;
  const powers = [[1, "1"], [0.1, "0.1"], [1e-2, "0.01"], [1e-3, "0.001"], [1e-4, "0.0001"]].map(([h, text]) => [log(h), text]);
  const key = [["clean", "nothing hidden", "currentColor"], ["common", "common visibility", "var(--common)"], ["calibrated", "calibrated", "var(--calibrated)"]];
  const legend = key.map(([name, text, colour], k) => `<line x1="${60 + 170 * k}" x2="${86 + 170 * k}" y1="246" y2="246" stroke="${colour}" stroke-width="2" stroke-dasharray="${LOOKS[name]}"/><text x="${92 + 170 * k}" y="250">${text}</text>`);
  legend.push(`<path d="M575,251l-6,-11h12z" fill="currentColor"/><text x="586" y="250">this pair</text><line x1="672" x2="672" y1="238" y2="252" stroke="currentColor" stroke-width="1.5"/><text x="680" y="250">threshold</text>`);
  return `<svg viewBox="0 0 760 258" width="100%" style="max-width:760px" role="img" aria-label="Scores of strangers: their distribution, and the share above every score">` +
    panel(told, 20, 300, [-0.6, 1], flat, density, [], "how often strangers have a score") +
    panel(told, 400, 340, [0, 1], log, share, powers, "share of strangers above a score") + legend.join("") + "</svg>";
}

// ---- the table --------------------------------------------------------------------------------------------------------------

function fillTable(table, told) {
  const heads = ["score", "this pair", "threshold", "verdict", "strangers that pass, of 1,000"];
  const head = make("tr", "", make("thead", "", table)), body = make("tbody", "", table);
  heads.forEach((text) => make("th", "", head, text).setAttribute("scope", "col"));
  for (const [name, label] of Object.entries(told.names)) {
    const row = make("tr", "", body), wrong = told.accepts[name] !== told.genuine;
    const first = make("td", "", row), swatch = make("span", "swatch", first);
    swatch.style.background = ["common", "calibrated"].includes(name) ? `var(--${name})` : "transparent";
    first.append(label);
    make("td", "", row, told.scores[name].toFixed(3)).dataset.score = name;
    make("td", "", row, told.thresholds[name].toFixed(3));
    make("td", wrong ? "wrong" : "", row, `${wrong ? "✗" : "✓"} ${told.accepts[name] ? "accepts" : "rejects"}`).title = wrong ? "wrong" : "right";
    make("td", "", row, name in told.far ? (1000 * told.far[name]).toFixed(1) : "–").dataset.far = name;
  }
}

// ---- all of it ----------------------------------------------------------------------------------------------------------------

function render({ model, el }) {
  const root = make("div", "oaml-claim", el);
  make("style", "", root, CSS);
  const top = make("div", "row", root), canvases = ["probe", "gallery"].map((name) => {
    const figure = make("figure", "", top), canvas = make("canvas", name, figure);
    canvas.width = canvas.height = DRAWN;
    return { canvas, caption: make("figcaption", "", figure) };
  });
  const [probe, gallery] = canvases, side = make("div", "side", top), table = make("table", "", side);
  const numbers = make("p", "numbers", side), sentence = make("p", "sentence", side);
  sentence.style.maxWidth = "540px";
  sentence.setAttribute("aria-live", "polite");
  const buttons = make("div", "", root), paint = make("button", "paint", buttons, "paint (P)");
  const bare = make("button", "bare", buttons, "remove the paint"), back = make("button", "back", buttons, "put the cover back (Home)");
  make("p", "quiet", root, "Drag the cover, or move it with the arrow keys (Shift: further); + and − change its size. P paints squares instead: drag, or arrow keys and Space. Escape gives the keys back to the page.");
  const graph = make("div", "", root), about = make("p", "quiet", root);
  Object.assign(probe.canvas, { tabIndex: 0 });
  probe.canvas.dataset.lmSuppressShortcuts = "true";
  probe.canvas.setAttribute("role", "application");
  probe.canvas.setAttribute("aria-label", "The probe with its cover: arrow keys move it, plus and minus change its size, P paints");

  let painting = false, cursor = 24, held = null, asked = 0;
  const sent = {}; // when each change was made, until its answer comes
  Object.assign(root.dataset, { asked: 0, newest: 0 });
  root.times = [];

  function change(values) {
    asked += 1;
    sent[asked] = performance.now();
    root.dataset.newest = asked;
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.set("asked", asked);
    model.save_changes(); // while an answer is awaited, the newest values wait, and only they
  }

  const move = (dx, dy) => change({ place: model.get("place").map((p, k) => limit(p + [dx, dy][k], -SIDE, SIDE)) });
  const grow = (by) => change({ size: limit(Math.round(20 * (model.get("size") + by)) / 20, 0.3, 2) });
  function set(square, hidden) {
    const others = model.get("painted").filter((k) => k !== square);
    if (hidden || others.length < model.get("painted").length) change({ painted: hidden ? [...others, square] : others });
  }
  function mode(on) {
    painting = on;
    paint.setAttribute("aria-pressed", on);
    root.classList.toggle("painting", on);
    show();
  }
  paint.onclick = () => mode(!painting);
  bare.onclick = () => change({ painted: [] });
  back.onclick = () => change({ place: [0, 0], size: 1 });

  const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  probe.canvas.addEventListener("keydown", (e) => {
    if (e.key === "Tab" || e.ctrlKey || e.metaKey || e.altKey) return;
    e.stopPropagation();
    if (e.key === "Escape") return probe.canvas.blur();
    const step = KEYS[e.key];
    if (step && painting) cursor = limit((cursor % SQUARES) + step[0], 0, 6) + SQUARES * limit(Math.floor(cursor / SQUARES) + step[1], 0, 6);
    else if (step) move(...step.map((s) => s * (e.shiftKey ? FAR_STEP : STEP)));
    else if (e.key === "+" || e.key === "=") grow(0.05);
    else if (e.key === "-") grow(-0.05);
    else if (e.key === "p" || e.key === "P") mode(!painting);
    else if (e.key === " " && painting) set(cursor, !model.get("painted").includes(cursor));
    else if (e.key === "Home") back.onclick();
    else return;
    e.preventDefault();
    if (painting) show();
  });

  const at = (e) => { const box = probe.canvas.getBoundingClientRect(); return [e.clientX - box.left, e.clientY - box.top].map((p) => (p * SIDE) / box.width); };
  const squareAt = (e) => { const [x, y] = at(e).map((p) => limit(Math.floor((p * SQUARES) / SIDE), 0, SQUARES - 1)); return SQUARES * y + x; };
  probe.canvas.addEventListener("pointerdown", (e) => {
    probe.canvas.focus({ preventScroll: true });
    probe.canvas.setPointerCapture(e.pointerId);
    const square = squareAt(e);
    held = { from: at(e), place: model.get("place"), hide: !model.get("painted").includes(square) };
    if (painting) set(cursor = square, held.hide);
  });
  probe.canvas.addEventListener("pointermove", (e) => {
    if (!held) return;
    const [x, y] = at(e), square = squareAt(e);
    if (!painting) change({ place: [held.place[0] + x - held.from[0], held.place[1] + y - held.from[1]].map((p) => limit(p, -SIDE, SIDE)) });
    else if (model.get("painted").includes(square) !== held.hide) set(cursor = square, held.hide);
  });
  for (const end of ["pointerup", "pointercancel"]) probe.canvas.addEventListener(end, () => (held = null));

  function grid() {
    const pen = probe.canvas.getContext("2d"), step = DRAWN / SQUARES;
    pen.strokeStyle = "#ffffff90";
    pen.lineWidth = 1.5;
    for (let k = 1; k < SQUARES; k++) for (const [x, y, w, h] of [[k * step, 0, 0, DRAWN], [0, k * step, DRAWN, 0]]) pen.strokeRect(x, y, w, h);
    pen.strokeStyle = "#f0e442";
    pen.lineWidth = 6;
    pen.strokeRect((cursor % SQUARES) * step + 4, Math.floor(cursor / SQUARES) * step + 4, step - 8, step - 8);
  }

  function show() {
    const told = model.get("told"), view = model.get("pictures"), size = 3 * SIDE * SIDE;
    if (!told.names) return;
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    paintPixels(probe.canvas, bytes.subarray(0, size));
    paintPixels(gallery.canvas, bytes.subarray(size));
    if (painting) grid();
    probe.caption.textContent = `probe: ${told.people[0]}`;
    gallery.caption.textContent = `gallery: ${told.people[1]}${told.genuine ? ", the same" : ", a stranger"}`;
    table.replaceChildren();
    fillTable(table, told);
    numbers.textContent = `visible ${(100 * told.visible).toFixed(0)} %, dimensions d(v) ${told.dimension.toFixed(1)} of d(1) ${told.whole.toFixed(1)}`;
    sentence.textContent = told.sentence;
    graph.innerHTML = chart(told);
    root.dataset.asked = told.asked;
    about.textContent = told.about;
    if (sent[told.asked] === undefined) return; // a slider's change, or one that was answered already
    root.times.push(performance.now() - sent[told.asked]);
    about.textContent += ` Answered in ${root.times.at(-1).toFixed(0)} ms.`;
    delete sent[told.asked];
  }
  model.on("change:told", show);
  mode(false);
}

export default { render };
