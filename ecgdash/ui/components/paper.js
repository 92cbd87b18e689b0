// ECG paper to scale: 96/25.4 CSS pixels per millimetre, whatever the pixel ratio.
// `data` is one block: the length of the head (uint32), the head (JSON), then int16
// microvolts of all strips, one after another; -32768 is "no sample".
const PX_PER_MM = 96 / 25.4;
const NO_SAMPLE = -32768;

function unpack(data) {
  const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const from = 4 + view.getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, from)));
  const n = (bytes.byteLength - from) / 2;
  const samples = Array.from({ length: n }, (_, i) => view.getInt16(from + 2 * i, true));
  return { ...head, samples };
}

function grid(pen, sheet, step, colour, width) {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.beginPath();
  for (let x = 0; x <= sheet.width_mm; x += step) { pen.moveTo(x, 0); pen.lineTo(x, sheet.height_mm); }
  for (let y = 0; y <= sheet.height_mm; y += step) { pen.moveTo(0, y); pen.lineTo(sheet.width_mm, y); }
  pen.stroke();
}

function calibration(pen, strip, gain) {
  pen.beginPath();
  pen.moveTo(2, strip.baseline_mm);
  pen.lineTo(3, strip.baseline_mm);
  pen.lineTo(3, strip.baseline_mm - gain);
  pen.lineTo(8, strip.baseline_mm - gain);
  pen.lineTo(8, strip.baseline_mm);
  pen.lineTo(9, strip.baseline_mm);
  pen.stroke();
}

function trace(pen, strip, samples, gain) {
  pen.beginPath();
  let drawing = false;
  samples.forEach((microvolts, i) => {
    if (microvolts === NO_SAMPLE) { drawing = false; return; }
    const x = strip.x_mm + i * strip.step_mm;
    const y = strip.baseline_mm - (microvolts / 1000) * gain;
    if (drawing) pen.lineTo(x, y); else pen.moveTo(x, y);
    drawing = true;
  });
  pen.stroke();
}

function leadName(pen, strip, paper) {
  const y = strip.baseline_mm - 11;
  pen.font = `600 ${13 / PX_PER_MM}px "Source Sans", sans-serif`;
  const wide = pen.measureText(strip.lead).width;
  pen.fillStyle = paper.background;
  pen.fillRect(strip.x_mm + 1, y - 3.2, wide + 1.4, 4.2);
  pen.fillStyle = paper.trace;
  pen.fillText(strip.lead, strip.x_mm + 1.7, y);
  pen.beginPath();
  pen.moveTo(strip.x_mm, strip.baseline_mm - 7);
  pen.lineTo(strip.x_mm, strip.baseline_mm - 4);
  pen.stroke();
}

export default function (component) {
  const { data, parentElement } = component;
  const { sheet, paper, samples } = unpack(data);
  const canvas = parentElement.querySelector("canvas");
  const ratio = window.devicePixelRatio || 1;
  const scale = PX_PER_MM * ratio;
  canvas.width = Math.round(sheet.width_mm * scale);
  canvas.height = Math.round(sheet.height_mm * scale);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", sheet.alt);
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  pen.fillStyle = paper.background;
  pen.fillRect(0, 0, sheet.width_mm, sheet.height_mm);
  grid(pen, sheet, 1, paper.line_1_mm, 0.12);
  grid(pen, sheet, 5, paper.line_5_mm, 0.2);
  let from = 0;
  pen.lineJoin = "round";
  pen.strokeStyle = paper.trace;
  sheet.strips.forEach((strip) => {
    pen.lineWidth = 0.28;
    if (strip.pulse) calibration(pen, strip, paper.gain_mm_per_mv);
    trace(pen, strip, samples.slice(from, from + strip.n), paper.gain_mm_per_mv);
    leadName(pen, strip, paper);
    from += strip.n;
  });
  pen.font = `${12 / PX_PER_MM}px "Source Sans", sans-serif`;
  pen.fillStyle = paper.trace;
  pen.textAlign = "right";
  pen.fillText(sheet.foot, sheet.width_mm - 2, sheet.height_mm - 2);
}
