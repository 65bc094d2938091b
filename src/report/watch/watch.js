"use strict";
// Plays the film that lies in this page. Space: play and pause; arrows: one step, with Shift ten; Home and End.

const film = JSON.parse(document.getElementById("film").textContent);
const part = (id) => document.getElementById(id);
const [stage, place, play, speed] = ["stage", "place", "play", "speed"].map(part);
const create = (name, attributes) => set(document.createElementNS(stage.namespaceURI, name), attributes);
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
for (const episode of film.episodes) {
  let before = [];
  episode.frames = episode.frames.map(([layout, ...parts]) => {
    before = parts.map((numbers, index) => numbers || before[index]);
    return { layout, parts: before };
  });
  let total = 0;
  episode.returns = [0, ...episode.rewards.map((reward) => (total += reward))];
}

let [episode, frame, layout, shapes, cursors] = [film.episodes[0], 0, null, [], []];
const last = () => episode.frames.length - 1;

const pairs = (numbers) => numbers.map((number, index) => (index % 2 ? `${number} ` : `${number},`)).join("");
const SHAPES = {
  circle: ["circle", ([cx, cy, r]) => ({ cx, cy, r })],
  capsule: ["line", ([x1, y1, x2, y2, width]) => ({ x1, y1, x2, y2, "stroke-width": width })],
  polygon: ["polygon", (numbers) => ({ points: pairs(numbers) })],
  line: ["polyline", (numbers) => ({ points: pairs(numbers) })],
};

function draw() {
  const { layout: wanted, parts } = episode.frames[frame];
  if (layout !== episode.layouts[wanted]) {
    layout = episode.layouts[wanted];
    shapes = layout.map(([shape, role]) => create(SHAPES[shape][0], { class: `${shape} ${role}` }));
    stage.replaceChildren(...shapes);
  }
  shapes.forEach((shape, index) => set(shape, SHAPES[layout[index][0]][1](parts[index])));
  place.value = frame;
  const over = frame === last();
  part("step").textContent = `${frame} of ${last()}`;
  part("time").textContent = `${(frame * film.seconds).toFixed(2)} s`;
  part("action").textContent = over ? "—" : action();
  part("reward").textContent = over ? "—" : format(episode.rewards[frame]);
  part("return").textContent = format(episode.returns[frame]);
  for (const show of cursors) show();
}

function action() {
  const taken = episode.actions.map((channel) => channel[frame]);
  return film.discrete ? film.actions[taken[0]] : taken.map(format).join(", ");
}

// One small plot: its name, its value now, its course, its limits; pressing it goes there.
function plot(name, kind, values, say = format) {
  const box = document.createElement("div");
  box.className = `plot ${kind}`;
  const [title, now, limits] = ["span", "output", "small"].map((tag) => document.createElement(tag));
  title.textContent = name;
  title.title = name;
  const [low, high] = values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
  const width = Math.max(1, last());
  const svg = create("svg", { viewBox: `0 0 ${width} 100`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const y = (value) => (high > low ? 95 - (90 * (value - low)) / (high - low) : 50);
  const course = kind === "observation" ? values.map((value, at) => `${at},${y(value)}`).join("L") : values.map((value, at) => `${at},${y(value).toFixed(1)}H${at + 1}`).join("L");
  const cursor = create("line", { y1: 0, y2: 100 });
  svg.append(create("path", { d: `M${course}` }), cursor);
  limits.textContent = low === high ? `always ${say(low)}` : kind === "action" && film.discrete ? film.actions.join(", ") : `${say(low)} to ${say(high)}`;
  box.append(title, now, svg, limits);
  box.addEventListener("click", (event) => {
    const drawn = svg.getBoundingClientRect();
    go(Math.round(((event.clientX - drawn.left) / drawn.width) * width));
  });
  cursors.push(() => {
    set(cursor, { x1: frame, x2: frame });
    now.textContent = frame < values.length ? say(values[frame]) : "—";
  });
  return box;
}

function choose(index) {
  episode = film.episodes[index];
  cursors = [];
  place.max = last();
  const named = (value) => film.actions[value] ?? "—";
  const actions = film.discrete ? [plot("action", "action", episode.actions[0], named)] : episode.actions.map((values, at) => plot(film.actions[at], "action", values));
  const observations = episode.observations.map((values, at) => plot(film.channels[at], "observation", values));
  part("plots").replaceChildren(...observations, ...actions, plot("reward", "reward", episode.rewards));
  if (film.more > 0) part("plots").append(`and ${film.more} more channels`);
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
  const steps = Math.floor(owed / film.seconds);
  owed -= steps * film.seconds;
  if (steps > 0) go(frame + steps);
  if (frame === last()) turn(false);
  requestAnimationFrame(tick);
}
function turn(on) {
  playing = on;
  play.textContent = on ? "Pause" : "Play";
  if (!on) return;
  if (frame === last()) go(0);
  [since, owed] = [performance.now(), 0];
  requestAnimationFrame(tick);
}

play.addEventListener("click", () => turn(!playing));
place.addEventListener("input", () => { turn(false); go(Number(place.value)); });
part("episodes").addEventListener("change", (event) => { choose(Number(event.target.value)); turn(true); });
document.addEventListener("keydown", (event) => {
  // A pressed button plays and pauses by itself.
  if (event.ctrlKey || event.metaKey || event.altKey || event.target === speed || event.target === play) return;
  const step = event.shiftKey ? 10 : 1;
  const moves = { ArrowLeft: frame - step, ArrowRight: frame + step, Home: 0, End: last() };
  if (event.key === " ") turn(!playing);
  else if (event.key in moves && event.target.type !== "radio") { turn(false); go(moves[event.key]); }
  else return;
  event.preventDefault();
});

set(stage, { viewBox: `0 0 ${film.size[0]} ${film.size[1]}` });
part("player").hidden = false;
choose(0);
if (!matchMedia("(prefers-reduced-motion: reduce)").matches) turn(true);
