// Where everything lies on the sheet, from the table of layouts that the server sent and the
// reader's choices. Nothing here draws.
const PRINT_PX = 12;
const EDGE_MM = 2;
const GAP_MM = 6;
const LARGEST_ON_TOP = 1.3;
const LEGEND_BAR_MM = [24, 40];
// An artefact must not make a sheet of metres; where a trace leaves the paper, the sheet says so.
const LARGEST_EXTENSION_MM = 160;

function sheetLayout(head, choices) {
  return head.layouts.find((layout) => choices.layouts?.includes(layout.name)) || head.layouts[0];
}

function rhythmLead(head, choices) {
  return head.rhythm_leads.includes(choices.rhythm) ? choices.rhythm : head.rhythm_leads[0];
}

// Latest time at which a sheet can start: a whole sheet is shown while the part is long enough.
function lastStart(head, layout) {
  if (layout.continuous) return head.start_s;
  return head.start_s + Math.max(0, head.n_samples / head.sampling_hz - head.paper.sheet_s);
}

function onSample(head, layout, seconds) {
  const within = Math.min(Math.max(seconds, head.start_s), lastStart(head, layout));
  if (layout.continuous) return head.start_s;
  return head.start_s + Math.round((within - head.start_s) * head.sampling_hz) / head.sampling_hz;
}

function rowsOf(head, layout, rhythm, from) {
  const { sheet_s: length } = head.paper;
  const row = (leads, start) => ({
    start,
    cells: leads.map((name, i) => ({
      name: name.replace("-", "−"),
      lead: name.replace("-", ""),
      sign: name.startsWith("-") ? -1 : 1,
      from: start + (i * length) / leads.length,
      to: start + ((i + 1) * length) / leads.length,
    })),
  });
  if (layout.continuous) {
    const n = Math.max(1, Math.ceil(head.n_samples / head.sampling_hz / length - 1e-6));
    return Array.from({ length: n }, (_, i) => row(layout.rows[0], from + i * length));
  }
  const rows = layout.rows.map((leads) => row(leads, from));
  if (layout.rhythm) rows.push({ ...row([rhythm], from), rhythm: true });
  return rows;
}

// Highest and lowest sample of a lead in mV, over all that was sent: the paper must not change its
// size while it is scrolled.
function reach(head, lead) {
  head.reaches = head.reaches || {};
  if (!head.reaches[lead]) {
    let low = 0, high = 0;
    for (const sample of head.samples[lead]) {
      if (sample === NO_SAMPLE) continue;
      if (sample > high) high = sample;
      if (sample < low) low = sample;
    }
    head.reaches[lead] = { low: low / 1000, high: high / 1000 };
  }
  return head.reaches[lead];
}

function extension(head, rows, layout, gain) {
  const { first_baseline_mm: first, last_margin_mm: margin } = head.paper;
  let above = 0, below = 0;
  rows.forEach((row, i) => row.cells.forEach((cell) => {
    const { low, high } = reach(head, cell.lead);
    const up = Math.max(cell.sign > 0 ? high : -low, head.in_millivolts ? head.paper.pulse_mv : 0);
    const down = cell.sign > 0 ? -low : high;
    above = Math.max(above, up * gain - first - i * layout.row_mm + EDGE_MM);
    below = Math.max(below, down * gain - margin - (rows.length - 1 - i) * layout.row_mm + EDGE_MM);
  }));
  const whole = (mm) => Math.min(LARGEST_EXTENSION_MM, Math.ceil(Math.max(0, mm) / 5) * 5);
  return { above: whole(above), below: whole(below), cut: Math.max(above, below) > LARGEST_EXTENSION_MM };
}

// Items one after another, on as many lines as the width asks for; an item that is tied to the
// next ones stays on their line.
function flow(items, width, top, lineMm) {
  let x = EDGE_MM, y = top;
  for (const [i, item] of items.entries()) {
    let wide = item.width;
    for (let k = i; items[k].tied && k + 1 < items.length; k += 1) wide += GAP_MM + items[k + 1].width;
    if (x > EDGE_MM && !items[i - 1].tied && x + wide > width - EDGE_MM) { x = EDGE_MM; y += lineMm; }
    item.x = x;
    item.y = y;
    x += item.width + GAP_MM;
  }
  return y;
}

function printer(family, enlarge) {
  return (words, weight = 400) => {
    const style = { px: PRINT_PX * enlarge, weight };
    return { words, style, width: textWidth(words, style, family) };
  };
}

function scaleWords(head, choices, screen) {
  const gain = head.in_millivolts ? `${choices.gain} mm/mV` : `arbitrary units, ${choices.gain} mm each`;
  const zoom = screen && Math.round(screen.zoom * 100) !== 100 ? `   zoom ${Math.round(screen.zoom * 100)} %` : "";
  const own = screen ? `   screen ${screen.calibrated ? "" : "not "}calibrated` : "";
  return `${choices.speed} mm/s   ${gain}${zoom}${own}`;
}

function layoutWords(head, layout) {
  const columns = Math.max(...layout.rows.map((row) => row.length));
  const each = head.paper.sheet_s / columns;
  return columns > 1 ? `${layout.label}, columns are consecutive ${each} s` : layout.label;
}

function timeWords(head, layout, from) {
  const length = head.n_samples / head.sampling_hz;
  const until = layout.continuous ? head.start_s + length
    : Math.min(from + head.paper.sheet_s, head.start_s + length);
  return `${from.toFixed(1)} to ${until.toFixed(1)} s of ${head.recording_s.toFixed(1)} s`;
}

function legendItems(head, printed, barMm) {
  const { overlay } = head;
  const scale = `${overlay.scale}`;
  return [
    printed(overlay.title, 600),
    { ...printed(`lowers ≤ −${scale} (broken)`), tied: true },
    { bar: true, width: barMm, tied: true },
    printed(`≥ +${scale} raises (solid), ${overlay.unit}`),
    printed("Supporting evidence only"),
  ];
}

// At 50 mm/s the pulse is 10 mm wide: the margin grows with it, and stays on the grid.
const leftOf = (paper, speed) => paper.left_mm + Math.max(0, paper.pulse_s * speed - 5);

// The whole sheet. `screen` is null for print: there the millimetres are the paper's own.
function compose(head, choices, from, screen) {
  const { paper } = head;
  const enlarge = screen ? Math.max(1, 1 / screen.zoom) : 1;
  // Enlarged, the word would lie on the name of the last column's lead.
  const simulatedOnTop = head.simulated && enlarge < LARGEST_ON_TOP;
  const printed = printer(head.font, enlarge);
  const line = paper.line_mm * enlarge;
  const layout = sheetLayout(head, choices);
  const start = onSample(head, layout, from);
  const rows = rowsOf(head, layout, rhythmLead(head, choices), start);
  const { above, below, cut } = extension(head, rows, layout, choices.gain);
  rows.forEach((row, i) => {
    row.baseline = paper.first_baseline_mm + above + i * layout.row_mm + (row.rhythm ? paper.rhythm_extra_mm : 0);
  });
  const left = leftOf(paper, choices.speed);
  const width = left + paper.sheet_s * choices.speed + paper.right_mm;
  const end = rows.at(-1).baseline + paper.last_margin_mm + below;
  const barMm = LEGEND_BAR_MM[width > 200 * enlarge ? 1 : 0];
  const legend = head.overlay && head.overlay.scale > 0 ? legendItems(head, printed, barMm) : [];
  let y = end - EDGE_MM;
  if (legend.length) y = flow(legend, width, y, line) + line;
  const foot = [
    printed(scaleWords(head, choices, screen), 600),
    printed(layoutWords(head, layout)),
    printed(timeWords(head, layout, start)),
    ...(head.foot ? [printed(head.foot)] : []),
    ...(head.simulated && !simulatedOnTop ? [printed("SIMULATED", 600)] : []),
    ...(cut ? [printed("The trace leaves the paper", 600)] : []),
    printed("Research use only", 600),
  ];
  const height = flow(foot, width, y, line) + EDGE_MM;
  return { head, layout, rows, start, left, width, height, legend, foot, top: 0,
    simulatedOnTop, enlarge, speed: choices.speed, gain: choices.gain };
}

const xOf = (scene, row, seconds) => scene.left + (seconds - row.start) * scene.speed;
const yOf = (scene, row, millivolts) => row.baseline - millivolts * scene.gain;
