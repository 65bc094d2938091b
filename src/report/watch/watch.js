"use strict";
// Plays the films that lie in this page, two of them in step. Keys as in a video player; the page's last line says which.

const part = (id) => document.getElementById(id);
const films = ["film", "beside"].map(part).filter(Boolean).map((element) => JSON.parse(element.textContent));
const [place, play, speed] = ["place", "play", "speed"].map(part);
const two = films.length > 1;
const SIDES = ["first", "second"];
const drawing = document.querySelector("svg.stage").namespaceURI;
const create = (name, attributes) => set(document.createElementNS(drawing, name), attributes);
function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
const format = (value) => {
  const size = Math.abs(value);
  const digits = size >= 100 ? 1 : size >= 1 ? 2 : size >= 0.1 ? 3 : 0;
  const text = Number.isInteger(value) && size < 1e6 ? String(value) : size >= 1e6 ? value.toExponential(2) : digits ? value.toFixed(digits) : String(Number(value.toPrecision(2)));
  return text.replaceAll("-", "−");
};

// What stands still is written once: each part's numbers, taken over from the frame before.
for (const episode of films.flatMap((film) => film.episodes)) {
  let before = [];
  episode.frames = episode.frames.map(([layout, ...parts]) => {
    before = parts.map((numbers, index) => numbers || before[index]);
    return { layout, parts: before };
  });
  let total = 0;
  episode.returns = [0, ...episode.rewards.map((reward) => (total += reward))];
}

const pairs = (numbers) => numbers.map((number, index) => (index % 2 ? `${number} ` : `${number},`)).join("");
const SHAPES = {
  circle: ["circle", ([cx, cy, r]) => ({ cx, cy, r })],
  capsule: ["line", ([x1, y1, x2, y2, width]) => ({ x1, y1, x2, y2, "stroke-width": width })],
  polygon: ["polygon", (numbers) => ({ points: pairs(numbers) })],
  line: ["polyline", (numbers) => ({ points: pairs(numbers) })],
};

// A film on its stage: which episode, where in it, and what is drawn.
const shows = films.map((film, index) => {
  const stage = document.querySelectorAll("svg.stage")[index];
  set(stage, { viewBox: `0 0 ${film.size[0]} ${film.size[1]}` });
  let [layout, shapes] = [null, []];
  const show = { film, episode: film.episodes[0] };
  show.last = () => show.episode.frames.length - 1;
  show.at = () => Math.min(frame, show.last());
  show.draw = () => {
    const { layout: wanted, parts } = show.episode.frames[show.at()];
    if (layout !== show.episode.layouts[wanted]) {
      layout = show.episode.layouts[wanted];
      shapes = layout.map(([shape, role]) => create(SHAPES[shape][0], { class: `${shape} ${role}` }));
      stage.replaceChildren(...shapes);
    }
    shapes.forEach((shape, index) => set(shape, SHAPES[layout[index][0]][1](parts[index])));
    if (!two) return;
    stage.classList.toggle("over", frame > show.last());
    stage.parentElement.querySelector("output").textContent = `step ${show.at()} of ${show.last()}`;
  };
  show.action = () => {
    const taken = show.episode.actions.map((channel) => channel[frame]);
    return film.discrete ? film.actions[taken[0]] : taken.map(format).join(", ");
  };
  show.over = () => frame >= show.last();
  return show;
});

let [frame, chosen, cursors] = [0, 0, []];
const last = () => Math.max(...shows.map((show) => show.last()));

// What is said of every film, in its colour where there are two.
function said(texts) {
  if (!two) return [texts[0]];
  const spans = texts.map((text, index) => Object.assign(document.createElement("span"), { className: SIDES[index], textContent: text }));
  return spans.flatMap((span, index) => (index ? [" ", span] : [span]));
}

function draw() {
  shows.forEach((show) => show.draw());
  place.value = frame;
  part("step").textContent = `${frame} of ${last()}`;
  part("time").textContent = `${(frame * films[0].seconds).toFixed(2)} s`;
  part("action").replaceChildren(...said(shows.map((show) => (show.over() ? "—" : show.action()))));
  part("reward").replaceChildren(...said(shows.map((show) => (show.over() ? "—" : format(show.episode.rewards[frame])))));
  part("return").replaceChildren(...said(shows.map((show) => format(show.episode.returns[show.at()]))));
  for (const show of cursors) show();
}

// One small plot: its name, its value now, its course, its limits; pressing it goes there. `courses` has one entry for each film.
function plot({ name, kind, courses, names }) {
  const say = names ? (value) => names[value] ?? "—" : format;
  const box = document.createElement("div");
  box.className = `plot ${kind}`;
  const [title, now, limits] = ["span", "output", "small"].map((tag) => document.createElement(tag));
  title.textContent = name;
  title.title = name;
  const [low, high] = courses.filter(Boolean).flat().reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
  const width = Math.max(1, last());
  const svg = create("svg", { viewBox: `0 0 ${width} 100`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const y = (value) => (high > low ? 95 - (90 * (value - low)) / (high - low) : 50);
  const steps = kind !== "observation";
  const path = (values) => values.map((value, at) => (steps ? `${at},${y(value).toFixed(1)}H${at + 1}` : `${at},${y(value)}`)).join("L");
  const cursor = create("line", { y1: 0, y2: 100 });
  const drawn = courses.map((values, index) => values && create("path", { d: `M${path(values)}`, class: two && courses[1] ? SIDES[index] : "" }));
  // The second film's behind the first one's: where they are the same, the first is seen.
  svg.append(...drawn.filter(Boolean).reverse(), cursor);
  limits.textContent = low === high ? `always ${say(low)}` : names ? names.join(", ") : `${say(low)} to ${say(high)}`;
  box.append(title, now, svg, limits);
  box.addEventListener("click", (event) => {
    const drawn = svg.getBoundingClientRect();
    turn(false);
    go(Math.round(((event.clientX - drawn.left) / drawn.width) * width));
  });
  cursors.push(() => {
    set(cursor, { x1: frame, x2: frame });
    const texts = courses.map((values) => (values && frame < values.length ? say(values[frame]) : "—"));
    now.replaceChildren(...(courses[1] ? said(texts) : [texts[0]]));
  });
  return box;
}

// The courses of all films by name: what the first one has, then what only the second has.
function courses() {
  const found = new Map();
  shows.forEach(({ film, episode }, index) => {
    const add = (kind, name, values, names) => {
      const key = `${kind} ${name}`;
      if (!found.has(key)) found.set(key, { name, kind, names, courses: [] });
      const entry = found.get(key);
      // Actions that were only done again are those of the first film.
      const again = kind === "action" && entry.courses[0] && values.every((value, at) => value === entry.courses[0][at]);
      if (!again) entry.courses[index] = values;
    };
    episode.observations.forEach((values, at) => add("observation", film.channels[at], values));
    episode.actions.forEach((values, at) => add("action", film.discrete ? "action" : film.actions[at], values, film.discrete ? film.actions : null));
    add("reward", "reward", episode.rewards);
  });
  const order = ["observation", "action", "reward"];
  const entries = [...found.values()].map((entry) => ({ ...entry, courses: Array.from(entry.courses) }));
  return entries.sort((one, other) => order.indexOf(one.kind) - order.indexOf(other.kind));
}

function choose(index) {
  chosen = index;
  for (const show of shows) show.episode = show.film.episodes[index];
  [cursors, frame] = [[], 0];
  place.max = last();
  part("plots").replaceChildren(...courses().map(plot));
  if (films[0].more > 0) part("plots").append(`and ${films[0].more} more channels`);
  go(0);
}

function go(to) {
  frame = Math.min(last(), Math.max(0, to));
  draw();
}

let [playing, since, owed] = [false, 0, 0];
function tick(now) {
  if (!playing) return;
  owed += ((now - since) / 1000) * Number(speed.value);
  since = now;
  const steps = Math.floor(owed / films[0].seconds);
  owed -= steps * films[0].seconds;
  if (steps > 0) go(frame + steps);
  if (frame === last()) turn(false);
  requestAnimationFrame(tick);
}
function turn(on) {
  if (on === playing) return;
  playing = on;
  play.textContent = on ? "Pause" : "Play";
  if (!on) return;
  if (frame === last()) go(0);
  [since, owed] = [performance.now(), 0];
  requestAnimationFrame(tick);
}
function faster(by) {
  speed.selectedIndex = Math.min(speed.length - 1, Math.max(0, speed.selectedIndex + by));
}
function next(by) {
  const radios = part("episodes").querySelectorAll("input");
  const to = Math.min(radios.length - 1, Math.max(0, chosen + by));
  if (to === chosen) return;
  radios[to].checked = true;
  radios[to].parentElement.scrollIntoView({ block: "nearest" });
  choose(to);
  turn(true);
}

play.addEventListener("click", () => turn(!playing));
place.addEventListener("input", () => { turn(false); go(Number(place.value)); });
part("episodes").addEventListener("change", (event) => { choose(Number(event.target.value)); turn(true); });

// By the key's name; letters in either case.
function moved(event) {
  const step = event.shiftKey ? 10 : 1;
  const moves = { arrowleft: frame - step, j: frame - step, arrowright: frame + step, l: frame + step, home: 0, end: last() };
  const key = event.key.toLowerCase();
  if (/^[0-9]$/.test(key)) return Math.round((Number(key) * last()) / 10);
  return moves[key];
}
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target === speed) return;
  const key = event.key.toLowerCase();
  // A pressed button plays and pauses by itself, and a chosen episode's arrows choose another one.
  if (event.target === play && (key === " " || key === "enter")) return;
  if (event.target.type === "radio" && key.startsWith("arrow")) return;
  const to = moved(event);
  const others = {
    " ": () => turn(!playing), k: () => turn(!playing),
    ",": () => faster(-1), "<": () => faster(-1), ".": () => faster(1), ">": () => faster(1),
    arrowup: () => next(-1), "[": () => next(-1), arrowdown: () => next(1), "]": () => next(1),
  };
  if (to !== undefined) { turn(false); go(to); }
  else if (key in others) others[key]();
  else return;
  event.preventDefault();
});

part("player").hidden = false;
choose(0);
if (!matchMedia("(prefers-reduced-motion: reduce)").matches) turn(true);
