// Median beats at 50 mm/s and 10 mm/mV: the earlier ECG's thick and grey beneath, this one's thin
// and black above. At 25 mm/s differences could not be seen.
const BEAT_SPEED = 50;
const BEAT_GAIN = 10;
const BEAT_GAP_MM = 3;
const EARLIER_MM = inMm(2.8);
const NOW_MM = inMm(1.15);

function beatReach(head) {
  let low = 0, high = 0;
  for (const set of [head.samples, head.earlier_samples || {}]) {
    for (const samples of Object.values(set)) {
      for (const sample of samples) {
        if (sample === NO_SAMPLE) continue;
        if (sample < low) low = sample;
        if (sample > high) high = sample;
      }
    }
  }
  return { low: low / 1000, high: high / 1000 };
}

function beatSheet(head) {
  const columns = Math.min(head.per_row, head.leads.length);
  const rows = Math.ceil(head.leads.length / columns);
  const longest = Math.max(head.n_samples, head.n_earlier);
  const wide = (longest / head.sampling_hz) * BEAT_SPEED;
  const { low, high } = beatReach(head);
  // Room for the largest beat, and for the lead's name above it.
  const above = Math.max(10, Math.ceil(high * BEAT_GAIN)) + 6;
  const below = Math.max(5, Math.ceil(-low * BEAT_GAIN)) + 3;
  const cells = head.leads.map((lead, i) => ({
    lead,
    x: EDGE_MM + (i % columns) * (wide + BEAT_GAP_MM),
    baseline: above + Math.floor(i / columns) * (above + below),
    top: Math.floor(i / columns) * (above + below) + 5,
  }));
  const width = Math.max(120, 2 * EDGE_MM + columns * (wide + BEAT_GAP_MM) - BEAT_GAP_MM);
  return { cells, width, height: rows * (above + below) + head.paper.line_mm, top: 0 };
}

function beatLine(head, samples, cell) {
  const parts = [];
  let part = null;
  samples.forEach((sample, i) => {
    if (sample === NO_SAMPLE) { part = null; return; }
    if (!part) parts.push(part = []);
    part.push(cell.x + (i / head.sampling_hz) * BEAT_SPEED, cell.baseline - (sample / 1000) * BEAT_GAIN);
  });
  return parts.filter((points) => points.length > 2);
}

function paintBeats(pen, head, sheet) {
  paintPaper(pen, sheet, head.colours);
  sheet.cells.forEach((cell) => plated(pen, cell.x + 1, cell.top, cell.lead, { px: 13, weight: 600 }, head));
  const foot = sheet.height - EDGE_MM;
  const legend = head.earlier ? `Black: ${head.now}. Grey, thicker: ${head.earlier}.` : `Black: ${head.now}.`;
  plated(pen, EDGE_MM, foot, legend, { px: 12 }, head);
  const scale = `${BEAT_SPEED} mm/s   ${BEAT_GAIN} mm/mV`;
  plated(pen, sheet.width - EDGE_MM, foot, scale, { px: 12, weight: 600, anchor: "end" }, head);
  const strokes = [
    [head.earlier_samples, { colour: head.colours.earlier, width: EARLIER_MM, marks: { part: "earlier" } }],
    [head.samples, { colour: head.colours.trace, width: NOW_MM, marks: { part: "now" } }],
  ];
  for (const [set, style] of strokes) {
    for (const cell of set ? sheet.cells : []) {
      const parts = beatLine(head, set[cell.lead], cell);
      if (parts.length) pen.lines(parts, style);
    }
  }
}

function drawBeats(root, head) {
  const scroll = make("div", "scroll");
  const paper = make("div", "paper");
  const canvas = make("canvas");
  const sheet = beatSheet(head);
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "group");
  scroll.setAttribute("aria-label", "Median beats, scrolls sideways");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", head.alt);
  paintBeats(new CanvasPen(canvas, sheet, screenScale().pxPerMm, head.font), head, sheet);
  paper.append(canvas);
  scroll.append(paper);
  root.replaceChildren(scroll);
  root.dataset.key = head.key;
  root.dataset.drawn = performance.now();
  const print = () => {
    const pen = new SvgPen(sheet, head.font);
    paintBeats(pen, head, sheet);
    pen.describe(head.alt);
    canvas.hidden = true;
    paper.classList.add("printing");
    paper.append(pen.root);
  };
  const printed = () => {
    paper.querySelector("svg")?.remove();
    paper.classList.remove("printing");
    canvas.hidden = false;
  };
  return { print, printed };
}

const drawn = new WeakMap();

export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector(".ev");
  drawn.get(root)?.abort();
  const stop = new AbortController();
  drawn.set(root, stop);
  const head = unpack(data);
  const draw = () => drawBeats(root, head);
  let now = draw();
  window.addEventListener("beforeprint", () => now.print(), { signal: stop.signal });
  window.addEventListener("afterprint", () => now.printed(), { signal: stop.signal });
  document.fonts?.ready.then(() => { if (!stop.signal.aborted) now = draw(); });
  return () => stop.abort();
}
