// The controls. Each tells its new value; none of them asks the server.
function toolButton(label, onClick, { toggle = false, title = null } = {}) {
  const button = make("button", toggle ? "toggle" : "", label);
  button.type = "button";
  if (title) { button.title = title; button.setAttribute("aria-label", title); }
  if (toggle) button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", onClick);
  return button;
}

function labelled(label, node) {
  const box = make("div", "tool");
  box.append(make("span", "name", label), node);
  return box;
}

function segmented(label, options, onPick) {
  const group = make("div", "segments");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", label);
  const buttons = options.map((value) => {
    const button = toolButton(String(value), () => onPick(value), { toggle: true });
    group.append(button);
    return button;
  });
  const show = (current) => buttons.forEach((button, i) => {
    button.setAttribute("aria-pressed", String(options[i] === current));
  });
  return { node: labelled(label, group), show };
}

function chooser(label, options, onPick) {
  const select = make("select");
  select.setAttribute("aria-label", label);
  options.forEach(([value, words]) => {
    const option = make("option", null, words);
    option.value = value;
    select.append(option);
  });
  select.addEventListener("change", () => onPick(select.value));
  const node = labelled(label, select);
  return { node, show: (current) => { select.value = current; } };
}

function zoomTools(act) {
  const group = make("div", "segments");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "Zoom");
  const now = toolButton("100 %", () => act.zoom(1), { title: "Zoom 100 %" });
  const fit = toolButton("Fit", () => act.zoom("fit"), { toggle: true, title: "Fit to width" });
  group.append(
    toolButton("−", () => act.zoomBy(-1), { title: "Smaller" }), now,
    toolButton("+", () => act.zoomBy(1), { title: "Larger" }), fit,
  );
  const show = (zoom, fitted) => {
    now.textContent = `${Math.round(zoom * 100)} %`;
    now.title = `${now.textContent}, back to 100 %`;
    now.setAttribute("aria-label", `Zoom ${now.title}`);
    fit.setAttribute("aria-pressed", String(fitted));
  };
  return { node: labelled("Zoom", group), show };
}

// `act` holds what each control does. Returns the bar and how to show a state.
function toolbar(head, act) {
  const bar = make("div", "bar");
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "ECG paper");
  // As in other toolbars, arrows lead from button to button; Tab works as well.
  bar.addEventListener("keydown", (event) => {
    const direction = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!direction || event.target.tagName !== "BUTTON") return;
    const buttons = [...bar.querySelectorAll("button:enabled")];
    buttons.at((buttons.indexOf(event.target) + direction) % buttons.length).focus();
    event.preventDefault();
  });
  const layout = chooser("Layout", head.layouts.map((row) => [row.name, row.label]), act.layout);
  const rhythm = chooser("Rhythm strip", head.rhythm_leads.map((lead) => [lead, lead]), act.rhythm);
  const speed = segmented("Speed (mm/s)", head.speeds, act.speed);
  const gain = segmented(head.in_millivolts ? "Gain (mm/mV)" : "Gain (mm per unit)", head.gains, act.gain);
  const zoom = zoomTools(act);
  const calipers = toolButton("Calipers", act.calipers, { toggle: true });
  const march = toolButton(
    "March out", act.march, { toggle: true, title: "March out: repeat the interval along the row" });
  const screen = toolButton("Screen size", act.calibrate, { title: "Screen size: fit a bank card" });
  const save = toolButton("Save SVG", act.save, { title: "Save SVG of this sheet, in millimetres" });
  const last = make("div", "tool plain");
  last.append(calipers, march, screen, save);
  layout.node.hidden = head.layouts.length < 2;
  bar.append(layout.node, rhythm.node, speed.node, gain.node, zoom.node, last);
  const show = (state) => {
    layout.show(state.layout.name);
    rhythm.show(state.rhythm);
    rhythm.node.hidden = !state.layout.rhythm || head.rhythm_leads.length < 2;
    speed.show(state.speed);
    gain.show(state.gain);
    zoom.show(state.zoom, state.fitted);
    calipers.setAttribute("aria-pressed", String(state.measuring));
    march.setAttribute("aria-pressed", String(state.marching));
    march.disabled = !state.measuring;
  };
  return { bar, show };
}

// Where the sheet starts in a recording that is longer than it.
function timeBar(onStart) {
  const bar = make("div", "time");
  const slider = make("input");
  slider.type = "range";
  slider.setAttribute("aria-label", "Start of the sheet in the recording");
  let state = null;
  const go = (seconds) => onStart(Math.min(Math.max(seconds, state.first), state.last));
  const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: -10, PageDown: 10 };
  slider.addEventListener("input", () => go(state.first + Number(slider.value)));
  slider.addEventListener("keydown", (event) => {
    const step = steps[event.key];
    if (step) go(state.start + step);
    else if (event.key === "Home") go(state.first);
    else if (event.key === "End") go(state.last);
    else return;
    event.preventDefault();
  });
  bar.append(
    toolButton("◀", () => go(state.start - 1), { title: "1 s earlier" }), slider,
    toolButton("▶", () => go(state.start + 1), { title: "1 s later" }),
  );
  const words = make("span", "name");
  bar.append(words);
  const show = (next) => {
    state = next;
    bar.hidden = next.last <= next.first;
    slider.min = 0;
    slider.max = next.last - next.first;
    slider.step = "any";
    slider.value = next.start - next.first;
    words.textContent = next.words;
    slider.setAttribute("aria-valuetext", next.words);
  };
  return { bar, show, by: (seconds) => state && !bar.hidden && go(state.start + seconds) };
}
