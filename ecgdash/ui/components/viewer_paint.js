// What is drawn, by either pen: paper, colour beneath, and the unaltered trace above all.
const TRACE_MM = 0.28;
const LEAST_SHARE = 0.1;
const DASH_PX = [6, 4];
const TITLE_BAND_MM = 8;

function paintPaper(pen, size, colours) {
  const { width, height, top } = size;
  pen.rect(0, top, width, height - top, colours.background);
  const grid = (step) => {
    const parts = [];
    for (let x = 0; x <= width; x += step) parts.push([x, 0, x, height]);
    for (let y = 0; y <= height; y += step) parts.push([0, y, width, y]);
    return parts;
  };
  if (pen.fine) pen.lines(grid(1), { colour: colours.line_1_mm, width: 0.12, grid: true, marks: { part: "grid-1" } });
  pen.lines(grid(5), { colour: colours.line_5_mm, width: 0.2, grid: true, marks: { part: "grid-5" } });
}

// A plate of paper beneath the words keeps them readable on the grid.
function plated(pen, x, y, words, style, head) {
  const width = textWidth(words, style, head.font);
  const left = style.anchor === "end" ? x - width : x;
  const high = inMm(style.px) * 1.25;
  pen.rect(left - 0.7, y - high * 0.8, width + 1.4, high, head.colours.background);
  pen.text(x, y, words, { colour: head.colours.trace, ...style });
}

function paintPulse(pen, scene, row) {
  const { paper, colours } = scene.head;
  const [foot, head] = [row.baseline, row.baseline - paper.pulse_mv * scene.gain];
  const start = 3, stop = start + paper.pulse_s * scene.speed;
  pen.lines([[start - 1, foot, start, foot, start, head, stop, head, stop, foot, stop + 1, foot]],
    { colour: colours.trace, width: TRACE_MM, marks: { part: "pulse" } });
}

// Samples of a cell as lines, broken where there is no sample.
function cellPoints(scene, row, cell, first, last) {
  const { head } = scene;
  const samples = head.samples[cell.lead];
  const parts = [];
  let part = null;
  for (let i = Math.max(0, first); i < Math.min(samples.length, last); i += 1) {
    if (samples[i] === NO_SAMPLE) { part = null; continue; }
    if (!part) parts.push(part = []);
    part.push(xOf(scene, row, head.start_s + i / head.sampling_hz),
      yOf(scene, row, (cell.sign * samples[i]) / 1000));
  }
  return parts.filter((points) => points.length > 2);
}

const indexAt = (head, seconds) => Math.round((seconds - head.start_s) * head.sampling_hz);

function paintTrace(pen, scene, row, cell) {
  const parts = cellPoints(scene, row, cell, indexAt(scene.head, cell.from), indexAt(scene.head, cell.to));
  if (!parts.length) return;
  pen.lines(parts, { colour: scene.head.colours.trace, width: TRACE_MM, marks: { part: "trace", lead: cell.name } });
}

function bandStyle(value, colours) {
  const share = Math.abs(value) / LARGEST_STEP;
  const raises = value > 0;
  return {
    colour: raises ? colours.raises : colours.lowers,
    width: inMm(raises ? 3 + 4 * share : 4 + 5 * share),
    opacity: 0.25 + 0.4 * share,
    ...(raises ? {} : { dash: DASH_PX.map(inMm) }),
    marks: { part: raises ? "raises" : "lowers" },
  };
}

function pathLength(parts) {
  let length = 0;
  for (const p of parts) {
    for (let i = 2; i < p.length; i += 2) length += Math.hypot(p[i] - p[i - 2], p[i + 1] - p[i - 1]);
  }
  return length;
}

// The broken line is broken by path length and runs on from step to step: by time, its breaks
// would vanish on the steep QRS.
function paintColour(pen, scene, row, cell) {
  const { head } = scene;
  const { overlay, colours } = head;
  const steps = overlay.steps[cell.lead];
  const firstStep = Math.max(0, Math.floor((cell.from - overlay.start_s) / overlay.step_s));
  let travelled = 0;
  for (let k = firstStep; k < steps.length; k += 1) {
    const begin = overlay.start_s + k * overlay.step_s;
    if (begin >= cell.to) break;
    if (Math.abs(steps[k]) < LEAST_SHARE * LARGEST_STEP) { travelled = 0; continue; }
    const first = indexAt(head, Math.max(begin, cell.from));
    // One sample more, so that a step ends where the next begins.
    const last = indexAt(head, Math.min(begin + overlay.step_s, cell.to)) + 1;
    const parts = cellPoints(scene, row, cell, first, last);
    if (!parts.length) continue;
    const style = bandStyle(steps[k], colours);
    style.marks.lead = cell.name;
    if (style.dash) style.offset = travelled;
    pen.lines(parts, style);
    travelled = steps[k] < 0 ? travelled + pathLength(parts) : 0;
  }
}

// The bar is drawn as the bands are: broken and solid, wider and stronger by size.
function paintLegendBar(pen, item, colours) {
  const n = 10, y = item.y - 1.1, half = item.width / 2;
  for (let i = 0; i < n; i += 1) {
    for (const sign of [-1, 1]) {
      const share = (i + 0.5) / n;
      if (share < LEAST_SHARE) continue;
      const from = item.x + half + (sign * i * half) / n;
      const style = bandStyle(sign * share * LARGEST_STEP, colours);
      if (style.dash) style.offset = (i * half) / n;
      pen.lines([[from, y, from + (sign * half) / n, y]], { ...style, marks: { part: "legend" } });
    }
  }
  pen.lines([[item.x, y, item.x + item.width, y]],
    { colour: colours.trace, width: TRACE_MM, marks: { part: "legend" } });
}

function paintItems(pen, items, head) {
  for (const item of items) {
    if (item.bar) {
      pen.rect(item.x - 0.7, item.y - 3.2, item.width + 1.4, 4.2, head.colours.background);
      paintLegendBar(pen, item, head.colours);
    } else plated(pen, item.x, item.y, item.words, item.style, head);
  }
}

function paintTick(pen, scene, row, cell) {
  const x = xOf(scene, row, cell.from);
  pen.lines([[x, row.baseline - 7, x, row.baseline - 4]],
    { colour: scene.head.colours.trace, width: TRACE_MM, marks: { part: "tick" } });
}

// From the paper up: words first, then colour, then traces, so that nothing covers a trace.
function paintSheet(pen, scene) {
  const { head } = scene;
  const name = { px: 13 * scene.enlarge, weight: 600 };
  paintPaper(pen, scene, head.colours);
  if (scene.top < 0) pen.text(EDGE_MM, -3, head.title, { colour: head.colours.trace, px: 13, weight: 600 });
  if (scene.simulatedOnTop) plated(pen, scene.width - EDGE_MM, 4.5, "SIMULATED", { ...name, anchor: "end" }, head);
  for (const row of scene.rows) {
    for (const cell of row.cells) {
      plated(pen, xOf(scene, row, cell.from) + 1.7, row.baseline - 11, cell.name, name, head);
    }
  }
  paintItems(pen, scene.legend, head);
  paintItems(pen, scene.foot, head);
  const each = (draw) => scene.rows.forEach((row) => row.cells.forEach((cell) => draw(pen, scene, row, cell)));
  if (head.overlay && head.overlay.scale > 0) each(paintColour);
  each((...place) => { if (place[2].cells.length > 1) paintTick(...place); });
  if (head.in_millivolts) scene.rows.forEach((row) => paintPulse(pen, scene, row));
  each(paintTrace);
}
