// The worklist as a real table. Every text is set as text, never as markup; the
// server sends words and positions (0 to 1 on one scale), this file only draws.
const SVG = "http://www.w3.org/2000/svg";

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined && text !== null) node.textContent = text;
  return node;
}

function shape(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

function picture(width, height, label) {
  return shape("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
}

// Marks of other families: hollow, of shapes that none of our variants has; points in half widths.
const HOLLOW = {
  "triangle-down": [[-1, -0.9], [1, -0.9], [0, 1]],
  "triangle-right": [[-0.9, -1], [1, 0], [-0.9, 1]],
  "bowtie": [[-1, -0.9], [1, 0.9], [1, -0.9], [-1, 0.9]],
  "star": [[0, -1.2], [0.28, -0.38], [1.14, -0.37], [0.45, 0.15], [0.71, 0.97], [0, 0.48],
    [-0.71, 0.97], [-0.45, 0.15], [-1.14, -0.37], [-0.28, -0.38]],
};

function marker(kind, x, y, size, colour) {
  const half = size / 2;
  if (HOLLOW[kind]) {
    const points = HOLLOW[kind].map(([dx, dy]) => `${x + dx * half},${y + dy * half}`).join(" ");
    return shape("polygon", { points, style: `fill: var(--ed-background); stroke: var(--ed-${colour}); stroke-width: 1.3` });
  }
  const fill = `fill: var(--ed-${colour}); stroke: var(--ed-background); stroke-width: 1`;
  if (kind === "circle") return shape("circle", { cx: x, cy: y, r: half, style: fill });
  if (kind === "square") return shape("rect", { x: x - half, y: y - half, width: size, height: size, style: fill });
  const top = kind === "triangle" ? `${x},${y - half}` : `${x},${y - half} ${x + half},${y}`;
  const foot = kind === "triangle" ? `${x + half},${y + half} ${x - half},${y + half}` : `${x},${y + half} ${x - half},${y}`;
  return shape("polygon", { points: `${top} ${foot}`, style: fill });
}

// Track, threshold and marker share one scale, inset by the marker's half width at both ends.
function bar(view, width) {
  const inset = 5;
  const at = (share) => inset + share * (width - 2 * inset);
  const svg = picture(width, 20, view.alt);
  svg.classList.add("bar");
  const track = (from, to, token) =>
    shape("rect", { x: from, y: 8, width: Math.max(to - from, 0), height: 4, style: `fill: var(--ed-${token})` });
  svg.append(track(at(0), at(view.threshold), "hair"), track(at(view.threshold), at(1), "line"));
  svg.append(shape("rect", { class: "threshold", x: at(view.threshold) - 0.75, y: 2, width: 1.5, height: 16, style: "fill: var(--ed-ink)" }));
  const mark = marker(view.shape, at(view.score), 10, 9, view.colour);
  mark.classList.add("mark");
  svg.append(mark);
  return svg;
}

function sparkline(view) {
  const width = 104, height = 30, inset = 5;
  const n = view.points.length;
  const x = (i) => (n === 1 ? width - inset : inset + (i / (n - 1)) * (width - 2 * inset));
  const y = (share) => height - inset - share * (height - 2 * inset);
  const svg = picture(width, height, view.alt);
  if (view.threshold !== null) {
    const level = y(view.threshold);
    svg.append(shape("line", { x1: 0, x2: width, y1: level, y2: level,
      style: "stroke: var(--ed-muted); stroke-width: 1; stroke-dasharray: 2 2" }));
  }
  view.points.forEach((point, i) => {
    if (point.y === null) {
      const cross = `M${x(i) - 3},${height - 8} l6,6 m-6,0 l6,-6`;
      svg.append(shape("path", { d: cross, style: "stroke: var(--ed-muted); stroke-width: 1.2; fill: none" }));
    } else if (point.joined) {
      svg.append(shape("line", { x1: x(i - 1), y1: y(view.points[i - 1].y), x2: x(i), y2: y(point.y),
        style: "stroke: var(--ed-ink); stroke-width: 1.3" }));
    } else if (i < n - 1 && !(view.points[i + 1] && view.points[i + 1].joined)) {
      svg.append(shape("circle", { cx: x(i), cy: y(point.y), r: 1.4, style: "fill: var(--ed-ink)" }));
    }
  });
  const last = view.points[n - 1];
  if (last && last.y !== null) svg.append(marker(last.shape, x(n - 1), y(last.y), 9, last.colour));
  return svg;
}

function cell(className, ...children) {
  const td = make("td", className);
  td.append(...children.filter(Boolean));
  return td;
}

function patientCell(row) {
  const link = make("a", "ed-open", row.code);
  link.href = row.href;
  return cell("patient", link, make("span", "muted", ` ${row.who}`));
}

function flagsCell(row) {
  const td = cell("flags");
  if (!row.flags.length) return td;
  const chips = make("div", "chips");
  row.flags.forEach((flag) => chips.append(make("span", "chip", flag)));
  td.append(chips);
  return td;
}

// A number that leads to the card of its model; out of the tab order, which has one stop a row.
function cardLink(address, title, ...inner) {
  const link = make("a", "ed-open card");
  link.href = address;
  link.title = title;
  link.tabIndex = -1;
  link.append(...inner);
  return link;
}

function scoreCell(row, narrow) {
  if (!row.bar) return cell("against", make("span", "muted", row.no_score));
  const grid = make("div", "score");
  const side = make("span", "small");
  side.append(make("b", null, row.side), " ", cardLink(row.card, row.card_title, make("span", "muted", row.threshold)));
  const under = make("span", "under small muted", row.variant);
  if (row.weak) under.append(" · ", make("span", "weak", row.weak));
  const value = make("span", "value");
  value.append(cardLink(row.card, row.card_title, row.value));
  grid.append(value, bar(row.bar, narrow ? 96 : 120), side, under);
  return cell("against", grid);
}

function changeCell(row) {
  const strong = row.change.strong;
  const words = make("div", strong ? "" : "muted");
  const told = strong ? make("b", null, row.change.words) : row.change.words;
  words.append(row.change.card ? cardLink(row.change.card, "Card: noise floor", told) : told);
  return cell("change", words, row.change.verdict && make("div", strong ? "small" : "small muted", row.change.verdict));
}

function lvefCell(row) {
  if (!row.lvef) return cell("lvef", make("div", "small muted", "no echo on file"));
  const value = make("div");
  value.append(make("span", "muted sum", "LVEF "), row.lvef);
  return cell("lvef", value, make("div", "small muted", row.lvef_age));
}

// Scores of other families: each with its own label, threshold and card; nothing joins them.
function othersCell(row) {
  const td = cell("others");
  if (row.others.rows.length) td.append(make("div", "small muted sum", row.others.title));
  row.others.rows.forEach((one) => {
    const grid = make("div", "other");
    grid.setAttribute("role", "group");
    grid.setAttribute("aria-label", `${one.title}, ${one.label}`);
    const value = make("span", "value");
    value.append(cardLink(one.card, one.card_title, one.value));
    const side = make("span", "small");
    side.append(make("b", null, one.side), " ", cardLink(one.card, one.card_title, make("span", "muted", one.threshold)));
    const under = make("span", "under small");
    under.append(make("b", null, one.label), make("span", "muted", ` · ${one.title}`));
    if (one.when) under.append(make("span", "muted when", ` · ${one.when}`));
    grid.append(value, bar(one.bar, 84), side, under);
    td.append(grid);
  });
  if (row.others.more) td.append(make("div", "small muted", row.others.more));
  return td;
}

function stepCell(row) {
  const step = make("div", row.step_strong ? "" : "muted");
  step.append(row.step_strong ? make("b", null, row.step) : row.step);
  return cell("step", step, row.reason && make("div", "small muted", row.reason));
}

function bodyRow(row, narrow, others) {
  const tr = make("tr", row.act ? "act" : "");
  tr.append(
    patientCell(row), flagsCell(row), scoreCell(row, narrow), changeCell(row),
    cell("trend", row.trend && sparkline(row.trend)), lvefCell(row),
    cell("when", make("span", "small muted", row.when)),
  );
  if (others) tr.append(othersCell(row));
  tr.append(stepCell(row));
  return tr;
}

function tableHead(columns) {
  const group = make("colgroup");
  const head = make("thead");
  const tr = make("tr");
  columns.forEach((column) => {
    const col = make("col", column.name);
    if (column.width) col.style.width = `${column.width}px`;
    group.append(col);
    const th = make("th", column.name, column.title);
    th.scope = "col";
    tr.append(th);
  });
  head.append(tr);
  return [group, head];
}

function draw(root, data) {
  const narrow = root.getBoundingClientRect().width < 500;
  const table = make("table", data.others ? "with-others" : "");
  table.setAttribute("aria-label", "Worklist");
  const body = make("tbody");
  data.groups.forEach((group) => {
    if (group.title) {
      const tr = make("tr", "group");
      const td = make("td", null, group.title);
      td.colSpan = data.columns.length;
      tr.append(td);
      body.append(tr);
    }
    group.rows.forEach((row) => body.append(bodyRow(row, narrow, data.others)));
  });
  table.append(...tableHead(data.columns), body);
  root.replaceChildren(table);
}

export default function (component) {
  const { data, parentElement } = component;
  draw(parentElement.querySelector(".wl"), data);
}
