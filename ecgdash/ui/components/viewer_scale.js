// What a millimetre is on this screen, what was sent, and what the reader's browser remembers.
const STANDARD_PX_PER_MM = 96 / 25.4;
const CARD_MM = { width: 85.6, height: 53.98 };
const NO_SAMPLE = -32768;
const LARGEST_STEP = 127;
const CHOICES_KEY = "ecgdash-viewer";
const SCREEN_KEY = "ecgdash-screen-px-per-mm";

// Bytes: length of the head (uint32), head (JSON), int16 microvolts, int8 colour. The samples are
// copied, because typed arrays must start at an even address.
function unpack(data) {
  const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
  const from = 4 + new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, from)));
  const body = bytes.slice(from).buffer;
  const byLead = (at, n) => Object.fromEntries(
    head.leads.map((lead, i) => [lead, new Int16Array(body, at + 2 * i * n, n)]));
  const n = head.n_samples * head.leads.length;
  head.samples = byLead(0, head.n_samples);
  if (head.n_earlier) head.earlier_samples = byLead(2 * n, head.n_earlier);
  if (head.overlay) {
    const { n_steps: steps } = head.overlay;
    head.overlay.steps = Object.fromEntries(
      head.leads.map((lead, i) => [lead, new Int8Array(body, 2 * n + i * steps, steps)]));
  }
  return head;
}

// A browser may refuse to store anything (private windows): the choices then last for the page.
function recall(key) {
  try { return JSON.parse(window.localStorage.getItem(key)); } catch { return null; }
}

function remember(key, value) {
  try {
    if (value === null) window.localStorage.removeItem(key);
    else window.localStorage.setItem(key, JSON.stringify(value));
  } catch { /* see above */ }
}

function screenScale() {
  const own = Number(recall(SCREEN_KEY));
  const calibrated = own >= 1 && own <= 20;
  return { pxPerMm: calibrated ? own : STANDARD_PX_PER_MM, calibrated };
}

// A true minus, no "-0", and no more digits than were measured.
function figure(value, digits) {
  const told = value.toFixed(digits);
  if (Number(told) === 0) return (0).toFixed(digits);
  return told.replace("-", "−");
}

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined && text !== null) node.textContent = text;
  return node;
}
