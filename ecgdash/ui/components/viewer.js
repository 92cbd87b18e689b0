// The viewer: joins layout, pens, tools and calipers, and keeps the reader's place.
const ZOOMS = [0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3];
const LEAST_FIT = 0.25;
const CHOSEN = "ecgdash-viewer-chosen";
const WHEEL_S_PER_PX = 0.01;

// Streamlit calls the default function again with new data, and may mount anew: what must outlive
// both is kept here, by place on the page and by ECG.
const viewers = new WeakMap();
const places = new Map();

class Viewer {
  constructor(root) {
    this.root = root;
    this.stop = new AbortController();
    this.choices = { layouts: [], zoom: 1, ...recall(CHOICES_KEY) };
    this.resized = new ResizeObserver(() => { if (this.choices.zoom === "fit") this.draw(); });
    this.build();
    this.listen();
  }

  build() {
    this.scroll = make("div", "scroll");
    this.scroll.tabIndex = 0;
    this.scroll.setAttribute("role", "group");
    this.scroll.setAttribute("aria-label", "ECG paper, scrolls sideways");
    this.paper = make("div", "paper");
    this.canvas = make("canvas");
    this.canvas.setAttribute("role", "img");
    this.paper.append(this.canvas);
    this.scroll.append(this.paper);
    this.readout = make("div", "readout");
    this.readout.setAttribute("aria-live", "polite");
    this.calipers = new Calipers(this.paper, this.readout, () => this.showState());
    this.time = timeBar((seconds) => { this.start = seconds; this.draw(); });
    this.card = calibrationDialog(() => this.chosen());
  }

  listen() {
    const { signal } = this.stop;
    window.addEventListener("beforeprint", () => this.print(), { signal });
    window.addEventListener("afterprint", () => this.printed(), { signal });
    // Two ECGs side by side keep one scale.
    window.addEventListener(CHOSEN, (event) => {
      if (event.detail === this) return;
      this.choices = { ...this.choices, ...recall(CHOICES_KEY) };
      this.draw();
    }, { signal });
    this.scroll.addEventListener("wheel", (event) => {
      if (!event.shiftKey || this.time.bar.hidden) return;
      event.preventDefault();
      this.time.by((event.deltaY || event.deltaX) * WHEEL_S_PER_PX);
    }, { passive: false, signal });
    this.resized.observe(this.root);
    // The first drawing does not wait for the typeface; it is repeated when that has come.
    document.fonts?.ready.then(() => { if (!signal.aborted && this.head) this.draw(); });
  }

  show(data) {
    const head = unpack(data);
    const before = this.head;
    this.head = head;
    this.choices = { speed: head.colours.speed_mm_per_s, gain: head.colours.gain_mm_per_mv, ...this.choices };
    const known = places.get(head.key);
    if (!before || before.key !== head.key) {
      this.start = known?.start ?? head.shown_from_s;
      this.calipers.caliper = known?.caliper ?? null;
      this.calipers.on = Boolean(known?.caliper);
      this.calipers.marching = Boolean(known?.marching);
      this.calipers.names = null;
    }
    this.canvas.setAttribute("aria-label", head.alt);
    this.tools = toolbar(head, this.actions());
    this.root.replaceChildren(this.tools.bar, this.readout, this.scroll, this.time.bar, this.card.dialog);
    this.draw();
  }

  actions() {
    const choose = (change) => { Object.assign(this.choices, change); this.chosen(); };
    return {
      layout: (name) => {
        // The last choice for each lead set is remembered: a 6-lead ECG leaves that for 12 alone.
        const others = this.choices.layouts.filter((old) => !this.head.layouts.some((row) => row.name === old));
        choose({ layouts: [...others, name] });
      },
      rhythm: (rhythm) => choose({ rhythm }),
      speed: (speed) => choose({ speed }),
      gain: (gain) => choose({ gain }),
      zoom: (zoom) => choose({ zoom }),
      zoomBy: (direction) => {
        const zoom = this.zoom;
        const next = direction > 0 ? ZOOMS.find((z) => z > zoom + 0.01) : ZOOMS.findLast((z) => z < zoom - 0.01);
        choose({ zoom: next || zoom });
      },
      calipers: () => { this.calipers.toggle(!this.calipers.on); this.showState(); },
      march: () => { this.calipers.marching = !this.calipers.marching; this.calipers.draw(); this.showState(); },
      calibrate: () => this.card.open(),
      save: () => this.save(),
    };
  }

  chosen() {
    remember(CHOICES_KEY, this.choices);
    this.draw();
    window.dispatchEvent(new CustomEvent(CHOSEN, { detail: this }));
  }

  draw() {
    const { head, choices } = this;
    if (!head) return;
    const screen = screenScale();
    this.zoom = choices.zoom;
    if (choices.zoom === "fit") {
      const width = leftOf(head.paper, choices.speed) + head.paper.sheet_s * choices.speed + head.paper.right_mm;
      // 2 px for the border of the scrolling box.
      this.zoom = Math.min(3, Math.max(LEAST_FIT, (this.root.clientWidth - 2) / (width * screen.pxPerMm)));
    }
    const scale = screen.pxPerMm * this.zoom;
    const scene = compose(head, choices, this.start, { zoom: this.zoom, calibrated: screen.calibrated });
    this.start = scene.start;
    this.scene = scene;
    paintSheet(new CanvasPen(this.canvas, scene, scale, head.font, scene.enlarge), scene);
    this.paper.style.width = this.canvas.style.width;
    this.paper.style.height = this.canvas.style.height;
    this.calipers.show(scene, scale);
    this.time.show({
      first: head.start_s, last: lastStart(head, scene.layout), start: scene.start,
      words: timeWords(head, scene.layout, scene.start),
    });
    this.showState();
    this.root.dataset.key = head.key;
    this.root.dataset.pxPerMm = scale;
    this.root.dataset.drawn = performance.now();
  }

  showState() {
    const { calipers, choices, scene } = this;
    places.set(this.head.key, { start: this.start, caliper: calipers.caliper, marching: calipers.marching });
    this.tools.show({
      ...choices, layout: scene.layout, rhythm: rhythmLead(this.head, choices), zoom: this.zoom,
      fitted: choices.zoom === "fit", measuring: calipers.on, marching: calipers.marching,
    });
  }

  // The same drawing in millimetres, with a title of its own: printed paper has no page around it.
  picture() {
    const scene = compose(this.head, this.choices, this.start, null);
    if (this.head.title) scene.top = -TITLE_BAND_MM;
    const pen = new SvgPen(scene, this.head.font);
    paintSheet(pen, scene);
    pen.describe(this.head.alt);
    return pen.root;
  }

  save() {
    const file = new Blob([new XMLSerializer().serializeToString(this.picture())], { type: "image/svg+xml" });
    const link = make("a");
    link.href = URL.createObjectURL(file);
    link.download = "ecg.svg";
    link.click();
    URL.revokeObjectURL(link.href);
  }

  print() {
    this.printed();
    this.vector = this.picture();
    this.canvas.hidden = true;
    this.paper.classList.add("printing");
    this.paper.append(this.vector);
  }

  printed() {
    this.vector?.remove();
    this.vector = null;
    this.canvas.hidden = false;
    this.paper.classList.remove("printing");
  }

  destroy() {
    this.stop.abort();
    this.resized.disconnect();
    this.root.replaceChildren();
  }
}

export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector(".ev");
  let viewer = viewers.get(root);
  if (!viewer) viewers.set(root, viewer = new Viewer(root));
  viewer.show(data);
  return () => {
    if (viewers.get(root) !== viewer) return;
    viewers.delete(root);
    viewer.destroy();
  };
}
