"use strict";
// What a reader can do with a figure: read its curves, hide some, save it. Without this script the page is complete, and still.

const set = (element, attributes) => { for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value); return element; };
const create = (svg, name, attributes) => set(document.createElementNS(svg.namespaceURI, name), attributes);
const grouped = (value) => Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, "\u202f");
const format = (value) => {
  const size = Math.abs(value);
  return (size >= 1e6 ? value.toExponential(2) : value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2)).replace("-", "−");
};

// "linear 0 500 260 10": kind, domain, range.
function scale(described) {
  const [kind, ...numbers] = described.split(" ");
  const [from, to, start, end] = numbers.map(Number);
  const along = kind === "log" ? Math.log : (value) => value;
  return { start, end, at: (value) => start + ((along(value) - along(from)) / (along(to) - along(from))) * (end - start) };
}

// A line that follows the pointer, a dot on each curve, and their values beside it.
function crosshair(figure, svg) {
  const plot = svg.querySelector(".plot");
  const [x, y, view] = [scale(plot.dataset.x), scale(plot.dataset.y), svg.viewBox.baseVal];
  const series = [...plot.querySelectorAll(".series")].map((group) => ({ group, points: JSON.parse(group.dataset.points) }));
  const places = [...new Set(series.flatMap(({ points }) => points.map(([place]) => place).filter((place) => place !== null)))].sort((a, b) => a - b);
  if (places.length === 0) return;
  const cross = create(svg, "line", { class: "cross s-muted", y1: y.start, y2: y.end });
  const dots = series.map(({ group }) => create(svg, "circle", { class: `cross ${group.dataset.fill}`, r: 4.5 }));
  const tip = Object.assign(document.createElement("div"), { className: "tip" });
  let index = places.length - 1;
  const hide = () => [tip, cross, ...dots].forEach((mark) => mark.remove());
  const show = () => {
    const [place, rows] = [places[index], []];
    hide();
    plot.prepend(set(cross, { x1: x.at(place), x2: x.at(place) }));
    series.forEach(({ group, points }, number) => {
      const point = points.find(([here]) => here === null || here === place);
      if (point === undefined || point[1] === null || group.classList.contains("off")) return;
      plot.append(set(dots[number], { cx: x.at(place), cy: y.at(point[1]) }));
      rows.push([group.dataset.name, ...point.slice(1)]);
    });
    const [head, table] = [document.createElement("b"), document.createElement("table")];
    head.textContent = `after ${grouped(place)} steps`;
    for (const [name, mean, low, high] of rows.sort((a, b) => b[1] - a[1])) {
      const row = table.insertRow();
      for (const text of [name, format(mean), low !== null && low < high ? `[${format(low)}, ${format(high)}]` : ""]) row.insertCell().textContent = text;
    }
    tip.replaceChildren(head, table);
    figure.append(tip);
    const [drawn, whole] = [svg.getBoundingClientRect(), figure.getBoundingClientRect()];
    const middle = (x.at(place) / view.width) * drawn.width;
    const fits = middle + 18 + tip.offsetWidth < (x.end / view.width) * drawn.width;
    const offset = drawn.left - whole.left;
    tip.style.left = `${offset + (fits ? middle + 18 : Math.max(-offset, middle - 18 - tip.offsetWidth))}px`;
    tip.style.top = `${drawn.top - whole.top + (y.end / view.height) * drawn.height + 6}px`;
  };
  const point = (event) => {
    const drawn = svg.getBoundingClientRect();
    const at = ((event.clientX - drawn.left) / drawn.width) * view.width;
    const height = ((event.clientY - drawn.top) / drawn.height) * view.height;
    if (at < x.start - 12 || at > x.end + 12 || height < y.end || height > y.start + 20) return hide();
    index = places.reduce((best, place, number) => (Math.abs(x.at(place) - at) < Math.abs(x.at(places[best]) - at) ? number : best), 0);
    show();
  };
  for (const name of ["pointermove", "pointerdown"]) svg.addEventListener(name, point);
  svg.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") hide(); });
  svg.addEventListener("blur", hide);
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.target !== svg || step === undefined) return;
    index = Math.min(places.length - 1, Math.max(0, index + (tip.isConnected ? step : 0)));
    show();
    event.preventDefault();
  });
  // A title is a tooltip to a browser, and a drawing that is one image hides its buttons from readers.
  set(svg, { role: "group", tabindex: 0, class: "figure interactive", "aria-label": svg.querySelector("title").textContent });
  svg.removeAttribute("aria-labelledby");
  svg.querySelector("title").remove();
}

// Names are switches of their curves, in both layouts of the figure.
function legend(figure, key) {
  const toggle = () => {
    const off = !key.classList.contains("off");
    for (const part of figure.querySelectorAll(".series,.key")) if (part.dataset.name === key.dataset.name) part.classList.toggle("off", off);
    for (const other of figure.querySelectorAll(".key")) set(other, { "aria-pressed": !other.classList.contains("off") });
  };
  set(key, { role: "button", tabindex: 0, "aria-pressed": true, "aria-label": key.dataset.name });
  key.addEventListener("click", toggle);
  key.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { toggle(); event.preventDefault(); } });
}

// The drawing with its style and paper in it, as Figure::stand_alone writes it.
function save(figure) {
  const shown = [...figure.querySelectorAll("svg.figure")].filter((svg) => svg.getClientRects().length > 0);
  shown.forEach((svg, number) => saveOne(svg, shown.length > 1 ? `${figure.dataset.file}-${number + 1}` : figure.dataset.file));
}

function saveOne(svg, name) {
  const copy = svg.cloneNode(true);
  for (const mark of copy.querySelectorAll(".cross,.off,.budget-line")) mark.remove();
  const style = Object.assign(create(copy, "style", {}), { textContent: document.getElementById("figure-style").textContent });
  copy.prepend(style, create(copy, "rect", { class: "f-paper", width: "100%", height: "100%" }));
  const href = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" }));
  Object.assign(document.createElement("a"), { href, download: `${name}.svg` }).click();
  setTimeout(() => URL.revokeObjectURL(href), 1000);
}

for (const figure of document.querySelectorAll("figure")) {
  for (const plot of figure.querySelectorAll(".plot")) crosshair(figure, plot.ownerSVGElement);
  for (const key of figure.querySelectorAll(".key")) legend(figure, key);
  const button = figure.querySelector(".download");
  button.hidden = false;
  button.addEventListener("click", () => save(figure));
}

// A slider over target budgets: at each its verdicts, and a line through the figure above.
for (const budget of document.querySelectorAll(".budget")) {
  const [slider, output] = [budget.querySelector("input"), budget.querySelector("output")];
  const steps = budget.dataset.steps.split(" ").map(Number);
  const drawings = ["wide", "narrow"].map((layout) => document.getElementById(`${budget.dataset.figure}-${layout}`));
  const lines = drawings.map((svg) => {
    const plot = svg.querySelector(".plot");
    const line = create(svg, "line", { class: "budget-line s-ink", y1: scale(plot.dataset.y).start, y2: scale(plot.dataset.y).end });
    plot.prepend(line);
    return [line, scale(plot.dataset.x)];
  });
  const show = () => {
    const index = Number(slider.value);
    output.textContent = grouped(steps[index]);
    for (const part of budget.querySelectorAll(".at")) part.hidden = Number(part.dataset.budget) !== index;
    for (const [line, x] of lines) set(line, { x1: x.at(steps[index]), x2: x.at(steps[index]) });
  };
  slider.hidden = false;
  slider.addEventListener("input", show);
  show();
}
