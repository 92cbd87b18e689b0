// Two pens with the same strokes: a canvas for the screen, SVG for print. All measures are
// millimetres on paper, and text is given in pixels of a screen of 96 per inch.
const SVG = "http://www.w3.org/2000/svg";
// Browsers refuse canvases much beyond this; a larger sheet is drawn coarser, never cut.
const LARGEST_CANVAS_PX = 24e6;

// Closer grid lines would run together to a tint.
const LEAST_GRID_PX = 1.6;

const inMm = (px) => px / STANDARD_PX_PER_MM;
const fontOf = (style, family) => `${style.weight || 400} ${inMm(style.px || 12)}px ${family}`;

function shape(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

let ruler = null;
function textWidth(words, style, family) {
  ruler = ruler || document.createElement("canvas").getContext("2d");
  // Measured large: browsers round the width of very small type.
  ruler.font = `${style.weight || 400} ${10 * (style.px || 12)}px ${family}`;
  return inMm(ruler.measureText(words).width / 10);
}

class CanvasPen {
  // `enlarge`: where the sheet is shown smaller, type and lines keep their pixels.
  constructor(canvas, size, pxPerMm, family, enlarge = 1) {
    this.family = family;
    this.enlarge = enlarge;
    this.fine = pxPerMm >= LEAST_GRID_PX;
    const wanted = window.devicePixelRatio || 1;
    const area = size.width * size.height * pxPerMm * pxPerMm;
    const ratio = Math.min(wanted, Math.sqrt(LARGEST_CANVAS_PX / area));
    canvas.width = Math.round(size.width * pxPerMm * ratio);
    canvas.height = Math.round(size.height * pxPerMm * ratio);
    canvas.style.width = `${size.width * pxPerMm}px`;
    canvas.style.height = `${size.height * pxPerMm}px`;
    this.context = canvas.getContext("2d");
    this.context.setTransform(pxPerMm * ratio, 0, 0, pxPerMm * ratio, 0, 0);
    this.context.lineJoin = "round";
  }

  rect(x, y, width, height, fill) {
    this.context.fillStyle = fill;
    this.context.fillRect(x, y, width, height);
  }

  // `parts` are flat lists x, y, x, y ... of lines that do not hang together.
  lines(parts, style) {
    const pen = this.context;
    pen.strokeStyle = style.colour;
    const by = style.grid ? 1 : this.enlarge;
    pen.lineWidth = style.width * by;
    pen.globalAlpha = style.opacity ?? 1;
    pen.setLineDash((style.dash || []).map((mm) => mm * by));
    pen.lineDashOffset = style.offset || 0;
    pen.beginPath();
    for (const part of parts) {
      pen.moveTo(part[0], part[1]);
      for (let i = 2; i < part.length; i += 2) pen.lineTo(part[i], part[i + 1]);
    }
    pen.stroke();
    pen.globalAlpha = 1;
    pen.setLineDash([]);
  }

  text(x, y, words, style) {
    const pen = this.context;
    pen.font = fontOf(style, this.family);
    pen.textAlign = style.anchor === "end" ? "right" : "left";
    pen.fillStyle = style.colour;
    pen.fillText(words, x, y);
  }
}

class SvgPen {
  constructor(size, family) {
    this.family = family;
    this.fine = true;
    this.root = shape("svg", {
      xmlns: SVG, width: `${size.width}mm`, height: `${size.height - size.top}mm`,
      viewBox: `0 ${size.top} ${size.width} ${size.height - size.top}`,
    });
  }

  describe(words) {
    this.root.setAttribute("role", "img");
    this.root.setAttribute("aria-label", words);
    const title = shape("title", {});
    title.textContent = words;
    this.root.prepend(title);
  }

  rect(x, y, width, height, fill) {
    this.root.append(shape("rect", { x, y, width, height, fill }));
  }

  lines(parts, style) {
    // A micrometre is finer than any printer, and keeps the file small.
    const at = (value) => Math.round(value * 1000) / 1000;
    const d = parts.map((part) => {
      let path = `M${at(part[0])} ${at(part[1])}`;
      for (let i = 2; i < part.length; i += 2) path += `L${at(part[i])} ${at(part[i + 1])}`;
      return path;
    }).join("");
    const node = shape("path", {
      d, fill: "none", stroke: style.colour, "stroke-width": at(style.width), "stroke-linejoin": "round",
    });
    if (style.opacity !== undefined) node.setAttribute("stroke-opacity", at(style.opacity));
    if (style.dash) {
      node.setAttribute("stroke-dasharray", style.dash.map(at).join(" "));
      node.setAttribute("stroke-dashoffset", at(style.offset || 0));
    }
    for (const [name, value] of Object.entries(style.marks || {})) node.setAttribute(`data-${name}`, value);
    this.root.append(node);
  }

  text(x, y, words, style) {
    const node = shape("text", {
      x, y, fill: style.colour, "font-family": this.family, "font-size": inMm(style.px || 12),
      "font-weight": style.weight || 400, "text-anchor": style.anchor || "start", "xml:space": "preserve",
      // The file is opened where the typeface may be missing: its words keep their places all the same.
      textLength: textWidth(words, style, this.family), lengthAdjust: "spacingAndGlyphs",
    });
    node.textContent = words;
    this.root.append(node);
  }
}
