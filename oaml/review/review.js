// The review desk: one image, one key a decision, and a brush. The same file is an anywidget in a notebook and a page of its own:
// `model` needs send(message, callbacks, buffers) and on("msg:custom", (message, buffers) => …), nothing else.

// ---- masks: Uint8Array of h*w, 1 = visible --------------------------------------------------------------------------------

export function packBits(mask) {
  const bytes = new Uint8Array(Math.ceil(mask.length / 8));
  for (let i = 0; i < mask.length; i++) if (mask[i]) bytes[i >> 3] |= 128 >> (i & 7);
  return bytes;
}

export function unpackBits(bytes, length) {
  const mask = new Uint8Array(length);
  for (let i = 0; i < length; i++) mask[i] = (bytes[i >> 3] >> (7 - (i & 7))) & 1;
  return mask;
}

export const toBase64 = (bytes) => {
  let text = "";
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(text);
};

export const fromBase64 = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

const through = async (bytes, stream) => new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());

// A mask as Python's PackedMask has it: packed rows, zlib, base64.
export async function packMask(mask, shape) {
  return { shape, bits: toBase64(await through(packBits(mask), new CompressionStream("deflate"))) };
}

export async function unpackMask({ shape, bits }) {
  return unpackBits(await through(fromBase64(bits), new DecompressionStream("deflate")), shape[0] * shape[1]);
}

// A stroke from one point to another: every position nearer than the radius to the segment. Returns what was touched.
export function stroke(mask, [h, w], from, to, radius, value) {
  const [x0, y0] = from, [x1, y1] = to, dx = x1 - x0, dy = y1 - y0, length = dx * dx + dy * dy;
  const left = Math.max(0, Math.floor(Math.min(x0, x1) - radius)), right = Math.min(w - 1, Math.ceil(Math.max(x0, x1) + radius));
  const top = Math.max(0, Math.floor(Math.min(y0, y1) - radius)), bottom = Math.min(h - 1, Math.ceil(Math.max(y0, y1) + radius));
  for (let y = top; y <= bottom; y++)
    for (let x = left; x <= right; x++) {
      const cx = x + 0.5 - x0, cy = y + 0.5 - y0;
      const t = length ? Math.max(0, Math.min(1, (cx * dx + cy * dy) / length)) : 0;
      if ((cx - t * dx) ** 2 + (cy - t * dy) ** 2 <= radius * radius) mask[y * w + x] = value;
    }
  return left > right || top > bottom ? null : [left, top, right - left + 1, bottom - top + 1];
}

// Everything that hangs together with a position and has its value.
export function fill(mask, [h, w], [x, y], value) {
  const start = Math.floor(y) * w + Math.floor(x), old = mask[start];
  if (old === undefined || old === value) return;
  const stack = [start];
  mask[start] = value;
  while (stack.length) {
    const k = stack.pop(), column = k % w;
    for (const n of [column > 0 ? k - 1 : -1, column < w - 1 ? k + 1 : -1, k - w, k + w])
      if (n >= 0 && n < h * w && mask[n] === old) { mask[n] = value; stack.push(n); }
  }
}

// The inside of a polygon, by the even-odd rule at the middle of every position.
export function polygon(mask, [h, w], points, value) {
  for (let y = 0; y < h; y++) {
    const cuts = [];
    for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
      const [[xi, yi], [xj, yj]] = [points[i], points[j]], middle = y + 0.5;
      if (yi > middle !== yj > middle) cuts.push(xi + ((middle - yi) / (yj - yi)) * (xj - xi));
    }
    cuts.sort((a, b) => a - b);
    for (let k = 0; k + 1 < cuts.length; k += 2)
      for (let x = Math.max(0, Math.ceil(cuts[k] - 0.5)); x < Math.min(w, Math.ceil(cuts[k + 1] - 0.5)); x++) mask[y * w + x] = value;
  }
}

// The hidden part one position larger, or smaller.
export function grow(mask, [h, w], larger) {
  const old = mask.slice(), from = larger ? 0 : 1;
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) {
      const k = y * w + x;
      if (old[k] === from) continue;
      if ((x && old[k - 1] === from) || (x < w - 1 && old[k + 1] === from) || (y && old[k - w] === from) || (y < h - 1 && old[k + w] === from)) mask[k] = from;
    }
}

// Move the edge of a mask to the strongest edge of the picture nearby: a position near the edge goes to the side whose mean
// colour, of what lies beyond the edge's neighbourhood, is nearer to its own.
export function snap(mask, [h, w], rgba, reach = 3) {
  const near = new Uint8Array(h * w), sum = [[0, 0, 0, 0], [0, 0, 0, 0]];
  const step = (dx, dy, x, y) => x + dx >= 0 && x + dx < w && y + dy >= 0 && y + dy < h && mask[(y + dy) * w + x + dx] !== mask[y * w + x];
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++)
      if (step(1, 0, x, y) || step(0, 1, x, y) || step(-1, 0, x, y) || step(0, -1, x, y))
        for (let v = Math.max(0, y - reach); v <= Math.min(h - 1, y + reach); v++)
          near.fill(1, v * w + Math.max(0, x - reach), v * w + Math.min(w - 1, x + reach) + 1);
  for (let k = 0; k < h * w; k++)
    if (!near[k]) { const s = sum[mask[k]]; for (let c = 0; c < 3; c++) s[c] += rgba[4 * k + c]; s[3]++; }
  if (!sum[0][3] || !sum[1][3]) return;
  const mean = sum.map((s) => [0, 1, 2].map((c) => s[c] / s[3]));
  const far = (k, m) => [0, 1, 2].reduce((d, c) => d + (rgba[4 * k + c] - m[c]) ** 2, 0);
  for (let k = 0; k < h * w; k++) if (near[k]) mask[k] = far(k, mean[1]) <= far(k, mean[0]) ? 1 : 0;
}

// A mask at another size: nearest position.
export function resize(mask, [h, w], [H, W]) {
  const out = new Uint8Array(H * W);
  for (let y = 0; y < H; y++) for (let x = 0; x < W; x++) out[y * W + x] = mask[Math.floor((y * h) / H) * w + Math.floor((x * w) / W)];
  return out;
}

// ---- the line to Python ---------------------------------------------------------------------------------------------------

const PATIENCE = 3000; // milliseconds without an answer before it is said

export class Line {
  constructor(model, silent, back) {
    Object.assign(this, { model, silent, waiting: new Map(), last: 0, back });
    this.name = Math.random().toString(36).slice(2); // of this view: a notebook may show one session twice, and all hear every answer
    this.hear = (message, buffers) => this.answer(message, buffers);
    model.on("msg:custom", this.hear);
  }
  ask(message) {
    const n = `${this.name}:${++this.last}`;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(this.silent, PATIENCE);
      this.waiting.set(n, { resolve, reject, timer });
      this.model.send({ n, ...message });
    });
  }
  close() {
    this.model.off?.("msg:custom", this.hear);
    for (const { timer } of this.waiting.values()) clearTimeout(timer);
  }
  answer(message, buffers) {
    const asked = this.waiting.get(message.n);
    if (!asked) return;
    clearTimeout(asked.timer);
    this.waiting.delete(message.n);
    this.back();
    if (message.error) asked.reject(new Error(message.error));
    else asked.resolve({ ...message, buffers: buffers ?? [] });
  }
}

// ---- what is on the screen ------------------------------------------------------------------------------------------------

const STYLE = `
.oaml-desk { --ink: #1b1b1b; --paper: #fff; --line: #767676; --faint: #f2f2f2; --mark: #0b5cad;
  color: var(--ink); background: var(--paper); font: 15px/1.4 system-ui, sans-serif; padding: 12px; border: 2px solid var(--line); border-radius: 8px; outline: none; max-width: 1100px; }
.oaml-desk:focus-within { border-color: var(--mark); box-shadow: 0 0 0 3px #0b5cad55; }
.oaml-desk [hidden] { display: none !important; }
.oaml-top, .oaml-bar, .oaml-reasons { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
.oaml-reasons { margin-bottom: 12px; }
.oaml-top { justify-content: space-between; font-variant-numeric: tabular-nums; }
.oaml-main { display: flex; gap: 12px; margin: 10px 0; align-items: flex-start; }
.oaml-stage { flex: 1; min-width: 0; height: 460px; background: var(--faint); position: relative; overflow: hidden; touch-action: none; }
.oaml-stage canvas { width: 100%; height: 100%; display: block; cursor: crosshair; }
.oaml-strip { width: 132px; display: flex; flex-direction: column; gap: 6px; font-size: 13px; }
.oaml-strip figure { margin: 0; }
.oaml-strip canvas { display: block; width: 112px; height: 112px; image-rendering: pixelated; border: 1px solid var(--line); background: var(--faint); }
.oaml-facts { font-size: 13px; max-height: 64px; overflow: auto; display: flex; flex-wrap: wrap; gap: 2px 14px; margin-bottom: 10px; overflow-wrap: anywhere; }
.oaml-desk button { font: inherit; color: inherit; background: var(--faint); border: 1px solid var(--line); border-radius: 5px; padding: 4px 10px; cursor: pointer; }
.oaml-desk button:focus-visible { outline: 3px solid var(--mark); outline-offset: 1px; }
.oaml-desk button[aria-pressed="true"] { background: var(--mark); color: #fff; }
.oaml-desk kbd { font: 12px ui-monospace, monospace; border: 1px solid var(--line); border-radius: 3px; padding: 0 4px; margin-right: 5px; }
.oaml-warn { background: #8a1c00; color: #fff; padding: 8px 12px; border-radius: 5px; margin: 8px 0; }
.oaml-help { background: var(--faint); padding: 10px 14px; border-radius: 5px; columns: 2; margin: 8px 0; }
.oaml-help div { break-inside: avoid; }
@media (prefers-color-scheme: dark) { .oaml-desk { --ink: #f0f0f0; --paper: #161616; --faint: #2a2a2a; --line: #9a9a9a; --mark: #1f6fc4; } }`;

// code of a key -> [what it does, what the help says]; codes name places on the keyboard, whatever is printed on them
const KEYS = {
  KeyA: ["accept", "accept"], ArrowRight: ["accept", "accept"], KeyX: ["reject", "reject"], KeyS: ["unsure", "unsure"],
  KeyU: ["undo", "undo"], Backspace: ["undo", "undo"], KeyY: ["redo", "do again"],
  Comma: ["back", "look at the one before"], Period: ["forward", "look at the next"], Home: ["open", "go to the first that is open"],
  KeyH: ["hide", "brush: hidden"], KeyV: ["show", "brush: visible"], BracketLeft: ["smaller", "smaller brush"], BracketRight: ["bigger", "bigger brush"],
  KeyG: ["scribble", "scribble: a few strokes, hidden and visible, become a mask"], KeyF: ["fill", "fill"], KeyP: ["polygon", "polygon; a click on its first corner closes it"], Equal: ["grow", "hidden part larger"], Minus: ["shrink", "hidden part smaller"],
  KeyE: ["snap", "edge of the mask to the edge of the picture"], KeyM: ["unit", "mask of pixels, or of positions"], KeyZ: ["zoom", "zoom"], KeyB: ["blind", "hide what is known"],
};
const VERDICTS = ["accept", "reject", "unsure"];
const PRINTED = { ArrowRight: "→", Backspace: "⌫", Comma: ",", Period: ".", BracketLeft: "[", BracketRight: "]", Equal: "=", Minus: "-" };
const printed = (code) => PRINTED[code] ?? code.replace(/^Key/, "");

function element(tag, name, parent, text = "") {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text) made.textContent = text;
  parent?.append(made);
  return made;
}

// Predicted visibility, the less the more orange.
function mapLayer(map) {
  const [h, w] = [map.length, map[0].length], data = new ImageData(w, h), layer = new OffscreenCanvas(w, h);
  map.flat().forEach((v, k) => data.data.set([213, 94, 0, Math.round(255 * (1 - v))], 4 * k));
  layer.getContext("2d").putImageData(data, 0, 0);
  return layer;
}

const time = (seconds) => (seconds == null ? "–" : seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`);

const HIDDEN = [213, 94, 0, 255], SEEN = [0, 114, 178, 255]; // told apart by every eye

class Desk {
  constructor(model, el) {
    this.line = new Line(model, () => this.warn("No answer. What was saved is on the disk. If the kernel (or the server) is gone, run the cell (or the command) again, and it goes on here."), () => this.warn(""));
    this.cache = new Map(); // place -> {seen, picture}
    Object.assign(this, { reasons: new Set(), brush: { value: 0, radius: 6, tool: "brush" }, alpha: 0.45, zoomed: 1, blind: false, busy: Promise.resolve(), corners: [] });
    this.build(el);
    this.run(() => this.open());
  }

  // -- building

  build(el) {
    const root = (this.root = element("div", "oaml-desk", el));
    element("style", "", root, STYLE);
    Object.assign(root, { tabIndex: 0 });
    root.dataset.lmSuppressShortcuts = "true"; // JupyterLab keeps its keys to itself while this has the focus
    root.setAttribute("role", "application");
    root.setAttribute("aria-label", "Review desk; question mark for help, Escape gives the keys back");
    const top = element("div", "oaml-top", root);
    this.title = element("strong", "", top);
    this.progress = element("span", "", top);
    this.saved = element("span", "", top);
    this.saved.setAttribute("role", "status");
    this.warning = element("div", "oaml-warn", root);
    this.warning.setAttribute("role", "alert");
    this.warning.hidden = true;
    this.help = element("div", "oaml-help", root);
    this.help.hidden = true;
    for (const [code, [, text]] of Object.entries(KEYS)) {
      const row = element("div", "", this.help);
      element("kbd", "", row, printed(code));
      row.append(text);
    }
    element("div", "", this.help, "1–9 reasons · ? this help · Esc gives the keys back");
    const main = element("div", "oaml-main", root);
    this.stage = element("div", "oaml-stage", main);
    this.canvas = element("canvas", "", this.stage);
    this.strip = element("div", "oaml-strip", main);
    this.small = Object.fromEntries(["original", "mask", "predicted"].map((name) => {
      const part = element("figure", "", this.strip);
      element("figcaption", "", part, name);
      return [name, element("canvas", "", part)];
    }));
    const label = element("label", "", this.strip, "overlay");
    this.slider = Object.assign(element("input", "", label), { type: "range", min: 0, max: 100, value: 45 });
    this.slider.oninput = () => { this.alpha = this.slider.value / 100; this.draw(); };
    this.facts = element("div", "oaml-facts", root);
    this.reasonBar = element("div", "oaml-reasons", root);
    const bar = element("div", "oaml-bar", root);
    for (const name of ["accept", "reject", "unsure", "undo", "redo", "hide", "show", "scribble", "fill", "polygon", "grow", "shrink", "snap", "unit", "zoom", "blind"])
      this.button(bar, name, Object.keys(KEYS).find((k) => KEYS[k][0] === name));
    this.listen();
  }

  button(parent, name, code) {
    const made = element("button", "", parent);
    made.type = "button";
    element("kbd", "", made, printed(code));
    made.append(name === "unit" ? "pixels/positions" : name);
    made.onclick = () => this.press(name);
    (this.buttons ??= {})[name] = made;
  }

  listen() {
    this.root.addEventListener("keydown", (e) => this.key(e));
    for (const kind of ["keyup", "keypress"]) this.root.addEventListener(kind, (e) => e.stopPropagation());
    const c = this.canvas;
    c.addEventListener("pointerdown", (e) => this.down(e));
    c.addEventListener("pointermove", (e) => this.move(e));
    for (const kind of ["pointerup", "pointercancel"]) c.addEventListener(kind, (e) => this.up(e));
    this.sized = new ResizeObserver(() => this.draw());
    this.sized.observe(this.stage);
    this.ticking = setInterval(() => this.clock(), 1000);
  }

  close() {
    this.sized.disconnect();
    clearInterval(this.ticking);
    this.line.close();
    this.root.remove();
  }

  // -- keys

  key(e) {
    if (e.code === "Tab") return;
    e.stopPropagation();
    if (e.code === "Escape") { this.drop(); this.help.hidden = true; document.activeElement?.blur(); return; }
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.target.matches?.("input") && e.code.startsWith("Arrow")) return; // the slider's own
    if (e.target.matches?.("button") && (e.code === "Enter" || e.code === "Space")) return;
    if (e.key === "?") { e.preventDefault(); this.help.hidden = !this.help.hidden; return; }
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(e.code);
    if (digit) { e.preventDefault(); this.reason(+digit[1]); return; }
    const known = KEYS[e.code];
    if (!known) return;
    e.preventDefault();
    if (!e.repeat || ["smaller", "bigger"].includes(known[0])) this.press(known[0]);
  }

  press(name) {
    const { brush } = this;
    if (VERDICTS.includes(name)) this.run(() => this.judge(name));
    else if (name === "undo" || name === "redo") this.run(() => this.retrace(name));
    else if (name === "back" || name === "forward") this.run(() => this.go(this.place + (name === "back" ? -1 : 1)));
    else if (name === "open") this.run(() => this.go(null));
    else if (name === "hide" || name === "show") Object.assign(brush, { value: name === "show" ? 1 : 0, tool: brush.tool === "scribble" ? "scribble" : "brush" });
    else if (["fill", "polygon", "scribble"].includes(name)) brush.tool = brush.tool === name ? "brush" : name;
    else if (name === "smaller" || name === "bigger") brush.radius = Math.max(0.5, Math.min(200, brush.radius * (name === "bigger" ? 1.25 : 0.8)));
    else if (name === "zoom") this.zoomed = this.zoomed === 1 ? 2 : this.zoomed === 2 ? 4 : 1;
    else if (name === "blind") { this.blind = !this.blind; this.drawStrip(); this.clock(); }
    else if (name === "unit") this.run(() => this.changeUnit());
    else this.edit((mask, shape) => (name === "snap" ? snap(mask, shape, this.rgba(shape)) : grow(mask, shape, name === "grow")));
    if (!["hide", "show", "smaller", "bigger", "zoom"].includes(name)) this.drop();
    else this.draw();
  }

  drop() { // what was begun: a polygon, or scribbles
    Object.assign(this, { corners: [], seeds: null });
    this.draw();
  }

  reason(k) {
    if (!this.names?.[k]) return;
    this.reasons.has(k) ? this.reasons.delete(k) : this.reasons.add(k);
    this.drawReasons();
  }

  // -- what is asked of Python; one thing after the other, so that no key is lost and none overtakes another

  run(step) {
    return (this.busy = this.busy.then(step).catch((e) => this.warn(e.message)));
  }

  async open() {
    const found = await this.line.ask({ do: "open" });
    this.names = found.reasons;
    this.cache.clear();
    this.take(found);
    await this.look(this.place);
    this.display();
    this.ahead();
  }

  async look(place) {
    if (this.cache.has(place) || place < 0 || place >= this.total) return;
    const found = await this.line.ask({ do: "look", place });
    if (!found.seen) return;
    const data = found.buffers[0], picture = data?.byteLength ? await createImageBitmap(new Blob([data])) : null;
    await this.keep(place, found.seen, picture);
  }

  async keep(place, seen, picture) { // what is there, with its mask unpacked
    const mask = seen.mask && { shape: seen.mask.shape, of: await unpackMask(seen.mask) };
    this.cache.set(place, { seen, picture, mask });
  }

  take(found) {
    this.place = found.place;
    this.total = found.progress.total;
    this.state = found.progress;
  }

  async show(found) {
    this.take(found);
    const old = this.cache.get(found.place);
    if (old && found.seen?.hash === old.seen.hash) await this.keep(found.place, found.seen, old.picture);
    else this.cache.delete(found.place); // it has changed since it was decoded
    await this.look(this.place);
    this.display();
    this.ahead();
  }

  ahead() { // five in front and two behind are decoded before they are asked for
    const wanted = [1, 2, 3, 4, 5, -1, -2].map((k) => this.place + k);
    for (const place of this.cache.keys()) if (Math.abs(place - this.place) > 12) this.cache.delete(place);
    wanted.reduce((before, place) => before.then(() => this.look(place)), Promise.resolve()).catch(() => {});
  }

  get target() { const { seen } = this.current; return { place: this.place, item: seen.item, hash: seen.hash }; }

  async judge(action) {
    if (this.current?.seen) await this.act(this.target, action, { reasons: [...this.reasons].sort() });
  }

  async act(target, action, details) {
    const before = this.place, found = await this.line.ask({ do: "act", ...target, action, details });
    this.savedAt = performance.now();
    const old = this.cache.get(target.place);
    if (old) await this.keep(target.place, found.was, old.picture);
    if (found.place !== before || VERDICTS.includes(action)) return this.show(found);
    this.take(found);
    this.clock();
  }

  async retrace(action) {
    const found = await this.line.ask({ do: action });
    this.savedAt = performance.now();
    await this.show(found);
  }

  async go(place) {
    await this.show(await this.line.ask({ do: "go", place }));
  }

  // -- the mask

  get current() { return this.cache.get(this.place); }

  display() {
    const { seen, picture, mask } = this.current ?? {};
    this.reasons = new Set(seen?.reasons ?? []);
    this.corners = [];
    const shape = mask ? mask.shape : picture ? [picture.height, picture.width] : [1, 1];
    this.setMask(mask ? mask.of.slice() : new Uint8Array(shape[0] * shape[1]).fill(1), shape);
    this.clock();
  }

  setMask(mask, shape) {
    Object.assign(this, { mask, shape, seeds: null, layer: new OffscreenCanvas(shape[1], shape[0]) });
    this.repaint();
  }

  repaint() {
    this.paint([0, 0, this.shape[1], this.shape[0]]);
    this.drawStrip();
    this.draw();
  }

  paint(rectangle) { this.dab(this.layer, this.mask, rectangle, [HIDDEN]); }

  dab(layer, values, [left, top, width, height], colours) { // the dirty rectangle, nothing else; a value without a colour shows nothing
    const data = new ImageData(width, height), w = this.shape[1];
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const colour = colours[values[(top + y) * w + left + x]];
        if (colour) data.data.set(colour, 4 * (y * width + x));
      }
    layer.getContext("2d").putImageData(data, left, top);
  }

  edit(change) {
    if (!this.current?.picture) return;
    change(this.mask, this.shape);
    this.repaint();
    this.keepMask();
  }

  keepMask() {
    const { shape, target } = this, mask = this.mask.slice(); // of now: the next stroke, or picture, may be there before this one is sent
    return this.run(async () => this.act(target, "mask", { mask: await packMask(mask, shape) }));
  }

  async changeUnit() {
    const { picture, seen } = this.current ?? {};
    if (!picture) return;
    const whole = [picture.height, picture.width], few = seen.start && seen.start.shape[0] < picture.height ? seen.start.shape : [7, 7];
    const to = this.shape[0] === whole[0] ? few : whole;
    this.setMask(resize(this.mask, this.shape, to), to);
  }

  // -- scribbles: seeds, 1 visible and 2 hidden, of which Python makes a mask

  beginScribbles() {
    const { picture } = this.current, whole = [picture.height, picture.width];
    if (this.shape[0] !== whole[0] || this.shape[1] !== whole[1]) this.setMask(resize(this.mask, this.shape, whole), whole);
    this.seeds = new Uint8Array(whole[0] * whole[1]);
    this.seedLayer = new OffscreenCanvas(whole[1], whole[0]);
  }

  walk() {
    const { seeds, shape, target } = this;
    if (!seeds.includes(1) || !seeds.includes(2)) return;
    this.run(async () => {
      const of = (k) => packMask(seeds.map((s) => s === k), shape);
      const found = await this.line.ask({ do: "scribble", ...target, visible: await of(1), hidden: await of(2) });
      const mask = await unpackMask(found.mask);
      if (this.seeds === seeds) { // and not another picture, or another tool, meanwhile
        this.mask = mask;
        this.repaint();
      }
      await this.act(target, "mask", { mask: { shape, bits: found.mask.bits } });
    });
  }

  // -- the pointer

  frame() { // where the picture lies on the stage
    const { picture } = this.current, { width, height } = this.canvas;
    const scale = Math.min(width / picture.width, height / picture.height) * this.zoomed;
    const [W, H] = [picture.width * scale, picture.height * scale];
    const at = this.centre ?? [0.5, 0.5];
    const left = W <= width ? (width - W) / 2 : Math.min(0, Math.max(width - W, width / 2 - at[0] * W));
    const top = H <= height ? (height - H) / 2 : Math.min(0, Math.max(height - H, height / 2 - at[1] * H));
    return { left, top, W, H };
  }

  point(e) { // of the pointer, in positions of the mask
    const box = this.canvas.getBoundingClientRect(), { left, top, W, H } = this.frame();
    const x = ((e.clientX - box.left) * this.canvas.width) / box.width - left, y = ((e.clientY - box.top) * this.canvas.height) / box.height - top;
    return [(x / W) * this.shape[1], (y / H) * this.shape[0]];
  }

  radius() { return Math.max(0.5, (this.brush.radius * this.shape[1]) / 112); }

  down(e) {
    this.root.focus({ preventScroll: true });
    if (!this.current?.picture || e.button > 0) return;
    if (this.brush.tool === "scribble" && !this.seeds) this.beginScribbles();
    const at = this.point(e), { tool, value } = this.brush;
    if (tool === "fill") return this.edit((mask, shape) => fill(mask, shape, at, value));
    if (tool === "polygon") return this.corner(at);
    this.canvas.setPointerCapture(e.pointerId);
    this.from = at;
    this.strokeTo(at);
  }

  corner(at) {
    const [first] = this.corners, near = this.shape[1] / 60;
    if (this.corners.length > 2 && Math.hypot(at[0] - first[0], at[1] - first[1]) < near) {
      const { corners } = this;
      this.corners = [];
      return this.edit((mask, shape) => polygon(mask, shape, corners, this.brush.value));
    }
    this.corners.push(at);
    this.draw();
  }

  move(e) {
    if (!this.current?.picture) return;
    this.hover = this.point(e);
    this.centre = [this.hover[0] / this.shape[1], this.hover[1] / this.shape[0]];
    if (this.from) for (const each of e.getCoalescedEvents?.() ?? [e]) this.strokeTo(this.point(each));
    else this.soon();
  }

  strokeTo(at) {
    const { value } = this.brush;
    const dirty = stroke(this.seeds ?? this.mask, this.shape, this.from, at, this.radius(), this.seeds && !value ? 2 : value);
    if (dirty && this.seeds) this.dab(this.seedLayer, this.seeds, dirty, [null, SEEN, HIDDEN]);
    else if (dirty) this.paint(dirty);
    this.from = at;
    this.soon();
  }

  up() {
    if (!this.from) return;
    this.from = null;
    if (this.seeds) return this.walk();
    this.drawStrip();
    this.keepMask();
  }

  // -- drawing

  soon() { this.waiting ??= requestAnimationFrame(() => { this.waiting = null; this.draw(); }); }

  draw() {
    const { canvas } = this, { picture, seen } = this.current ?? {}, ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const c = canvas.getContext("2d");
    c.clearRect(0, 0, width, height);
    for (const [name, made] of Object.entries(this.buttons)) {
      const on = { hide: !this.brush.value, show: this.brush.value, fill: this.brush.tool === "fill", polygon: this.brush.tool === "polygon", scribble: this.brush.tool === "scribble", blind: this.blind, [seen?.verdict]: true }[name];
      made.setAttribute("aria-pressed", String(Boolean(on)));
    }
    if (picture) {
      const { left, top, W, H } = this.frame();
      c.imageSmoothingEnabled = W < 4 * picture.width;
      c.drawImage(picture, left, top, W, H);
      c.imageSmoothingEnabled = false;
      c.globalAlpha = this.alpha;
      c.drawImage(this.layer, left, top, W, H);
      c.globalAlpha = 1;
      if (this.seeds) this.drawSeeds(c, left, top, W, H);
      this.drawBrush(c, left, top, W / this.shape[1], H / this.shape[0]);
    }
    this.drawReasons();
  }

  drawSeeds(c, left, top, W, H) {
    c.globalAlpha = 0.7;
    c.drawImage(this.seedLayer, left, top, W, H);
    c.globalAlpha = 1;
  }

  drawBrush(c, left, top, sx, sy) {
    c.lineWidth = 2;
    c.strokeStyle = this.brush.value ? "#0072b2" : "#d55e00";
    if (this.corners.length) {
      c.beginPath();
      for (const [x, y] of this.corners) c.lineTo(left + x * sx, top + y * sy);
      c.stroke();
    } else if (this.hover && ["brush", "scribble"].includes(this.brush.tool)) {
      c.beginPath();
      c.arc(left + this.hover[0] * sx, top + this.hover[1] * sy, this.radius() * sx, 0, 7);
      c.stroke();
    }
  }

  drawStrip() {
    const { picture, seen } = this.current ?? {}, map = this.blind ? null : seen?.map;
    this.small.predicted.parentNode.hidden = !map;
    for (const [name, source] of [["original", picture], ["mask", this.layer], ["predicted", map && mapLayer(map)]]) {
      const small = this.small[name];
      Object.assign(small, { width: 112, height: 112 });
      const c = small.getContext("2d");
      c.imageSmoothingEnabled = name === "original";
      if (source && picture) c.drawImage(source, 0, 0, 112, 112);
    }
  }

  drawReasons() {
    if (this.reasonBar.childElementCount !== Object.keys(this.names ?? {}).length) {
      this.reasonBar.replaceChildren();
      for (const [k, text] of Object.entries(this.names ?? {})) {
        const made = element("button", "", this.reasonBar);
        made.type = "button";
        element("kbd", "", made, k);
        made.append(text);
        made.onclick = () => this.reason(+k);
      }
    }
    Object.keys(this.names ?? {}).forEach((k, i) => this.reasonBar.children[i].setAttribute("aria-pressed", String(this.reasons.has(+k))));
  }

  clock() {
    const { seen } = this.current ?? {}, { done = 0, total = 0, eta = null } = this.state ?? {};
    this.title.textContent = seen ? `${this.blind ? "" : seen.item} ${seen.changed ? "(changed since it was answered)" : ""}` : "nothing to review";
    this.progress.textContent = `${done}/${total} · ${total ? Math.floor((100 * done) / total) : 0} % · ${time(eta)} left`;
    this.saved.textContent = this.savedAt === undefined ? "" : `saved ${((performance.now() - this.savedAt) / 1000).toFixed(1)} s ago`;
    const facts = this.blind ? [] : Object.entries(seen?.columns ?? {}).filter(([, v]) => v !== null && v !== "");
    this.facts.replaceChildren(...facts.map(([k, v]) => element("span", "", null, `${k}: ${typeof v === "number" ? +v.toFixed(3) : v}`)));
    if (seen?.error) this.warn(seen.error);
  }

  warn(text) {
    this.warning.textContent = text;
    this.warning.hidden = !text;
  }
}

export default { render({ model, el }) { const desk = new Desk(model, el); el.desk = desk; return () => desk.close(); } };
