// Browsers do not know how large a pixel is. The reader lays a bank card (ISO/IEC 7810 ID-1) on
// the screen and fits the outline to it; the size stays in this browser.
const CARD_RANGE = [1.5, 12];
const CARD_STEP = 0.005;

function calibrationDialog(onChange) {
  const dialog = make("dialog", "card");
  dialog.setAttribute("aria-label", "Size of this screen");
  const outline = make("div", "outline");
  const slider = make("input");
  slider.type = "range";
  [slider.min, slider.max] = CARD_RANGE;
  slider.step = CARD_STEP;
  slider.setAttribute("aria-label", "Width of the outline");
  const said = make("p", "name");
  let size = STANDARD_PX_PER_MM;

  const fit = (pxPerMm) => {
    size = Math.min(Math.max(pxPerMm, CARD_RANGE[0]), CARD_RANGE[1]);
    slider.value = size;
    outline.style.width = `${CARD_MM.width * size}px`;
    outline.style.height = `${CARD_MM.height * size}px`;
    said.textContent = `${figure(size, 3)} pixels per millimetre`;
    slider.setAttribute("aria-valuetext", said.textContent);
  };
  const keep = (value) => {
    remember(SCREEN_KEY, value);
    dialog.close();
    onChange();
  };
  slider.addEventListener("input", () => fit(Number(slider.value)));
  dialog.addEventListener("keydown", (event) => {
    const direction = { "+": 1, "=": 1, "-": -1 }[event.key];
    if (direction) { event.preventDefault(); fit(size + direction * CARD_STEP); }
  });
  const buttons = make("div", "tool plain");
  buttons.append(
    toolButton("−", () => fit(size - CARD_STEP), { title: "Narrower" }),
    toolButton("+", () => fit(size + CARD_STEP), { title: "Wider" }),
    toolButton("Use this size", () => keep(size)),
    toolButton("Reset", () => keep(null), { title: "Reset to 96 pixels per inch" }),
    toolButton("Cancel", () => dialog.close()),
  );
  const how = "Lay a bank card on the screen and fit the outline to it, with the slider or the + and − keys."
    + " The sheet is then true to scale on this screen.";
  dialog.append(make("p", null, how), outline, slider, said, buttons);
  return { dialog, open: () => { fit(screenScale().pxPerMm); dialog.showModal(); } };
}
