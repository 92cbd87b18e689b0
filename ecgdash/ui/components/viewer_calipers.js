// Calipers in time and voltage. They keep recording time and millivolts, not pixels, so that they
// stay on the wave they measure when gain, speed, zoom or the sheet's start change.
const TIME_STEP_S = 0.004;
const VOLTAGE_STEP_MV = 0.02;
const SHIFT_STEPS = 5;
const LEAST_DRAG_PX = 4;
const LEAST_MARCH_S = 0.04;
const QT_RANGE_S = [0.2, 0.7];

// Bazett 1920: QT / sqrt(RR); Fridericia 1920: QT / cube root of RR; both in seconds.
function qtcWords(qt, rr) {
  if (qt < QT_RANGE_S[0] || qt > QT_RANGE_S[1]) return "";
  if (!rr) return "If this is QT: no QTc, RR is not known";
  const bazett = (1000 * qt) / Math.sqrt(rr);
  const fridericia = (1000 * qt) / Math.cbrt(rr);
  return `If this is QT: QTc (Bazett) ${figure(bazett, 0)} ms, QTc (Fridericia) ${figure(fridericia, 0)} ms`
    + ` at RR ${figure(1000 * rr, 0)} ms`;
}

function caliperWords(caliper, scene) {
  const { head, rows } = scene;
  const span = Math.abs(caliper.t2 - caliper.t1);
  const rate = span > 0 ? `${figure(60 / span, 0)}/min` : "no rate";
  const volts = figure(caliper.v2 - caliper.v1, 2);
  const height = head.in_millivolts ? `ΔV ${volts} mV` : `ΔV ${volts} in arbitrary units`;
  const row = rows[caliper.row];
  const cellAt = (t) => row.cells.find((cell) => t < cell.to) || row.cells.at(-1);
  const [from, to] = [Math.min(caliper.t1, caliper.t2), Math.max(caliper.t1, caliper.t2)].map(cellAt);
  const where = from === to ? `lead ${from.name}`
    : `from ${from.name} into ${to.name}: consecutive columns of one recording, so the time is true; `
      + "the voltage is between two leads";
  const qtc = from === to ? qtcWords(span, head.rr_s) : "";
  return [`Δt ${figure(1000 * span, 0)} ms`, rate, height, where, qtc].filter(Boolean).join(" · ");
}

class Calipers {
  constructor(paper, readout, onChange) {
    this.caliper = null;
    this.on = false;
    this.marching = false;
    this.readout = readout;
    this.onChange = onChange;
    this.paper = paper;
    this.layer = make("div", "calipers");
    this.lines = shape("svg", { "aria-hidden": "true" });
    this.layer.append(this.lines);
    this.handles = [
      this.handle("t1", "First time line"), this.handle("t2", "Second time line"),
      this.handle("v1", "First voltage line"), this.handle("v2", "Second voltage line"),
    ];
    paper.append(this.layer);
    paper.addEventListener("pointerdown", (event) => this.begin(event));
  }

  handle(name, label) {
    const node = make("div", `handle ${name[0]}`);
    node.tabIndex = 0;
    node.dataset.end = name;
    node.setAttribute("role", "slider");
    node.setAttribute("aria-label", label);
    node.setAttribute("aria-orientation", name[0] === "t" ? "horizontal" : "vertical");
    node.addEventListener("pointerdown", (event) => {
      event.stopPropagation();
      event.preventDefault();
      node.focus();
      // The line keeps its distance from the finger: it must not jump to it.
      const start = this.place(event);
      const held = this.caliper[name];
      this.follow(event, (place) => this.set({ [name]: held + place[name[0]] - start[name[0]] }));
    });
    node.addEventListener("keydown", (event) => this.step(event, name));
    this.layer.append(node);
    return node;
  }

  step(event, name) {
    if (event.key === "Escape") { event.preventDefault(); this.remove(); return; }
    const direction = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (!direction) return;
    event.preventDefault();
    const step = name[0] === "t" ? TIME_STEP_S : VOLTAGE_STEP_MV;
    this.set({ [name]: this.caliper[name] + direction * step * (event.shiftKey ? SHIFT_STEPS : 1) });
  }

  // Time and voltage under the pointer, in the row of the caliper or the nearest one.
  place(event, index = this.caliper?.row ?? 0) {
    const box = this.paper.getBoundingClientRect();
    const row = this.scene.rows[index];
    return {
      t: row.start + ((event.clientX - box.left) / this.scale - this.scene.left) / this.scene.speed,
      v: (row.baseline - (event.clientY - box.top) / this.scale) / this.scene.gain,
    };
  }

  begin(event) {
    if (!this.on || event.button !== 0) return;
    event.preventDefault();
    const y = (event.clientY - this.paper.getBoundingClientRect().top) / this.scale;
    const distances = this.scene.rows.map((row) => Math.abs(row.baseline - y));
    const row = distances.indexOf(Math.min(...distances));
    const start = this.place(event, row);
    this.follow(event, (place, moved) => {
      const far = Math.hypot(moved.clientX - event.clientX, moved.clientY - event.clientY) >= LEAST_DRAG_PX;
      if (far) this.set({ row, t1: start.t, t2: place.t, v1: start.v, v2: place.v });
    }, row);
  }

  // A drag, by mouse, pen or finger; it ends even where the pointer is let go outside.
  follow(event, move, row = this.caliper?.row) {
    const target = event.currentTarget;
    target.setPointerCapture(event.pointerId);
    const moved = (next) => {
      if (next.pointerId === event.pointerId) move(this.place(next, row), next);
    };
    const end = (next) => {
      if (next.pointerId !== event.pointerId) return;
      target.removeEventListener("pointermove", moved);
      target.removeEventListener("pointerup", end);
      target.removeEventListener("pointercancel", end);
    };
    target.addEventListener("pointermove", moved);
    target.addEventListener("pointerup", end);
    target.addEventListener("pointercancel", end);
  }

  set(change) {
    const caliper = { ...this.caliper, ...change };
    const row = this.scene.rows[caliper.row];
    const end = row.start + this.scene.head.paper.sheet_s;
    for (const name of ["t1", "t2"]) caliper[name] = Math.min(Math.max(caliper[name], row.start), end);
    const volts = (y) => (row.baseline - y) / this.scene.gain;
    for (const name of ["v1", "v2"]) {
      caliper[name] = Math.min(Math.max(caliper[name], volts(this.scene.height)), volts(0));
    }
    this.caliper = caliper;
    this.onChange();
    this.draw();
  }

  toggle(on) {
    this.on = on;
    if (!on) this.caliper = null;
    else if (!this.caliper) {
      // One to begin with, so that the keyboard has something to move.
      const { start } = this.scene.rows[0];
      this.caliper = { row: 0, t1: start + 0.4, t2: start + 1.2, v1: 0, v2: 1 };
    }
    this.draw();
  }

  remove() {
    this.toggle(false);
    this.onChange();
  }

  show(scene, scale) {
    // A caliper on a row that the chosen layout lacks measures nothing.
    if (this.caliper && (!scene.rows[this.caliper.row] || this.names && this.names !== scene.layout.name)) {
      this.caliper = null;
    }
    this.names = scene.layout.name;
    this.scene = scene;
    this.scale = scale;
    if (this.on && !this.caliper) this.toggle(true);
    this.draw();
  }

  draw() {
    const { scene, scale, caliper } = this;
    this.paper.classList.toggle("measuring", this.on);
    this.layer.hidden = !caliper;
    this.readout.textContent = caliper ? caliperWords(caliper, scene) : "";
    if (!caliper) return;
    const row = scene.rows[caliper.row];
    const x = (t) => xOf(scene, row, t) * scale;
    const y = (v) => yOf(scene, row, v) * scale;
    const [x1, x2, y1, y2] = [x(caliper.t1), x(caliper.t2), y(caliper.v1), y(caliper.v2)];
    const top = Math.max(0, Math.min(y1, y2, y(0) - 14 * scale) - 2 * scale);
    // Room for the handles below the lines.
    const foot = Math.min(Math.max(y1, y2, y(0) + 8 * scale), scene.height * scale - 25);
    const [left, right] = [Math.min(x1, x2) - 4 * scale, Math.max(x1, x2) + 4 * scale];
    this.lines.replaceChildren();
    const line = (a, b, c, d, kind) => this.lines.append(shape("line", { x1: a, y1: b, x2: c, y2: d, class: kind }));
    line(x1, top, x1, foot, "time");
    line(x2, top, x2, foot, "time");
    line(left, y1, right, y1, "volts");
    line(left, y2, right, y2, "volts");
    if (this.marching) {
      this.marches(row, (t) => line(x(t), y(0) - 12 * scale, x(t), y(0) + 8 * scale, "march"));
    }
    // Handles lie outward of their lines: they never cover each other.
    const outward = (a, b, first) => ((first ? a <= b : a < b) ? -24 : 0);
    const put = (node, at, value, words) => {
      const high = Math.min(Math.max(at[1], 0), scene.height * scale - 24);
      node.style.transform = `translate(${at[0]}px, ${high}px)`;
      node.setAttribute("aria-valuenow", value.toFixed(3));
      node.setAttribute("aria-valuetext", words);
      node.hidden = at[0] < -24 || at[0] > scene.width * scale + 24;
    };
    const [h1, h2, h3, h4] = this.handles;
    const seconds = (t) => `${figure(t, 3)} s`;
    const volts = (v) => (scene.head.in_millivolts ? `${figure(v, 2)} mV` : figure(v, 2));
    put(h1, [x1 + outward(x1, x2, true), foot], caliper.t1, seconds(caliper.t1));
    put(h2, [x2 + outward(x2, x1, false), foot], caliper.t2, seconds(caliper.t2));
    put(h3, [right, y1 + outward(y1, y2, true)], caliper.v1, volts(caliper.v1));
    put(h4, [right, y2 + outward(y2, y1, false)], caliper.v2, volts(caliper.v2));
  }

  marches(row, draw) {
    const { t1, t2 } = this.caliper;
    const span = Math.abs(t2 - t1);
    if (span < LEAST_MARCH_S) return;
    const end = row.start + this.scene.head.paper.sheet_s;
    for (let t = Math.max(t1, t2) + span; t <= end; t += span) draw(t);
    for (let t = Math.min(t1, t2) - span; t >= row.start; t -= span) draw(t);
  }
}
