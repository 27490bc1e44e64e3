"use strict";
// The page of `unheard serve`: a recording in, its emotion over time out. No library, nothing from elsewhere.

const COLOURS = {
  angry: "#d55e00", happy: "#e3a008", neutral: "#8a9099", sad: "#0072b2", fear: "#8e5bb5", disgust: "#4b8b3b",
  surprise: "#3fa9d6", boredom: "#b08968", calm: "#66b2a0", excited: "#e377a8", frustrated: "#a03c2e",
  contempt: "#6b6b1f", other: "#555b63", "not sure": "#6d7178",
};
const $ = (id) => document.getElementById(id);

let limits = null; // of the service, once it has told them
let key = null; // of the service, where it needs one
let pending = null; // aborts the request that is under way
let recorder = null; // while one is recording
let sound = null; // the decoded recording, a promise
let playing = null; // {source, buttons} while a piece sounds
let audio = null; // the AudioContext, made when first needed

// ── What is said ──────────────────────────────────────────────────────────────────────────────────────────────────

function say(text) { $("status").textContent = text; }

function fail(sentence) {
  say("");
  $("error").textContent = sentence.charAt(0).toUpperCase() + sentence.slice(1) + (/[.!?]$/.test(sentence) ? "" : ".");
}

function percent(value) { return `${Math.round(100 * value)} %`; }

function clock(seconds) {
  const tenths = Math.round(10 * seconds);
  return `${Math.floor(tenths / 600)}:${((tenths % 600) / 10).toFixed(1).padStart(4, "0")}`;
}

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// ── The service ───────────────────────────────────────────────────────────────────────────────────────────────────

async function ask(path, options = {}) {
  const headers = { ...options.headers, ...(key ? { Authorization: `Bearer ${key}` } : {}) };
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    throw new Error("the service cannot be reached; is it still running?");
  }
  const answer = await response.json().catch(() => ({}));
  if (response.status === 401) $("key-form").hidden = false;
  if (!response.ok) throw new Error(answer.detail || `the service answered ${response.status}`);
  return answer;
}

async function meet() {
  try {
    const model = await ask("model");
    limits = model.limits;
    $("key-form").hidden = true;
    showCard(model);
  } catch (problem) {
    fail(problem.message);
  }
}

async function recognize(file) {
  await met; // the limits
  pending?.abort();
  stop();
  $("error").textContent = "";
  $("result").hidden = true;
  if (limits && file.size > limits.max_bytes) {
    fail(`this recording has ${(file.size / 1e6).toFixed(1)} MB, and the service takes ${limits.max_bytes / 1e6} MB at most`);
    return;
  }
  const mine = (pending = new AbortController());
  document.body.classList.add("busy");
  say("Listening …");
  try {
    const type = /^(audio|video)\//.test(file.type) ? file.type : "application/octet-stream";
    const answer = await ask("predict?timeline=true", {
      method: "POST", body: file, headers: { "Content-Type": type }, signal: mine.signal,
    });
    sound = decoded(file);
    sound.catch(() => {}); // said when one wants to hear it
    show(answer);
    say("");
  } catch (problem) {
    if (problem.name !== "AbortError") fail(problem.message);
  } finally {
    if (pending === mine) document.body.classList.remove("busy");
  }
}

// ── The result ────────────────────────────────────────────────────────────────────────────────────────────────────

function show(answer) {
  // Without speech the probabilities mean nothing.
  const shown = answer.verdict === "no speech" ? {} : answer.probabilities;
  const sorted = Object.entries(shown).sort((a, b) => b[1] - a[1]);
  $("headline").textContent = answer.verdict;
  $("summary").textContent = `the whole recording, ${clock(answer.duration)} min`;
  $("bars").replaceChildren(...sorted.map(([emotion, value]) => {
    const fill = element("div", { className: "fill" });
    fill.style.width = `${100 * value}%`;
    fill.style.background = COLOURS[emotion] ?? COLOURS.other;
    return element("li", {}, element("span", { textContent: emotion }),
      element("div", { className: "track", ariaHidden: "true" }, fill),
      element("span", { className: "number", textContent: percent(value) }));
  }));
  draw(answer);
  list(answer.timeline.segments, answer.duration);
  $("result").hidden = false;
  $("result").focus({ preventScroll: true });
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  $("result").scrollIntoView({ behavior: still ? "auto" : "smooth", block: "nearest" });
}

function draw({ duration, probabilities, timeline }) {
  const x = (seconds) => ((1000 * seconds) / duration).toFixed(2);
  const shapes = [];
  const add = (tag, attributes) => {
    const shape = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) shape.setAttribute(name, value);
    shapes.push(shape);
  };
  // Above: the waveform, each piece in the colour of its emotion.
  const loudest = Math.max(...timeline.peaks, 1e-3);
  for (const { start, end, verdict } of timeline.segments) {
    const first = Math.floor(20 * start);
    const peaks = timeline.peaks.slice(first, Math.max(first + 1, Math.ceil(20 * end)));
    const edge = peaks.map((peak, i) => [x(Math.min(end, Math.max(start, (first + i + 0.5) / 20))), (48 * peak) / loudest]);
    edge.unshift([x(start), edge[0][1]]);
    edge.push([x(end), edge.at(-1)[1]]);
    const points = [...edge.map(([at, high]) => [at, 55 - high]), ...edge.reverse().map(([at, high]) => [at, 55 + high])];
    add("polygon", { points: points.map((point) => point.join(",")).join(" "), ...paint(verdict) });
  }
  // Below: probabilities, one upon the other.
  for (const { start, end, smoothed, verdict } of timeline.windows) {
    let top = 120;
    for (const name of Object.keys(probabilities)) {
      const height = 100 * smoothed[name];
      const shape = { x: x(start), y: top.toFixed(2), width: (x(end) - x(start) + 0.3).toFixed(2), height: height.toFixed(2) };
      add("rect", { ...shape, ...paint(name), opacity: verdict === "no speech" ? 0.25 : 1 });
      top += height;
    }
  }
  $("picture").replaceChildren(...shapes);
  $("picture").setAttribute("aria-label", `Emotion over ${clock(duration)} minutes, the same as in the table below.`);
  $("axis").replaceChildren(...[0, 0.25, 0.5, 0.75, 1].map((part) => element("span", { textContent: clock(part * duration) })));
  $("legend").replaceChildren(...Object.keys(probabilities).map((emotion) => {
    const swatch = element("i");
    swatch.style.background = COLOURS[emotion] ?? COLOURS.other;
    return element("li", {}, swatch, emotion);
  }));
}

function paint(verdict) {
  return verdict === "no speech" ? { class: "silence" } : { fill: COLOURS[verdict] ?? COLOURS.other };
}

function list(segments, duration) {
  const pieces = [];
  const rows = [];
  for (const { start, end, verdict, emotion, probability } of segments) {
    const what = emotion === null ? verdict : `${emotion}, ${percent(probability)}`;
    const when = `${clock(start)} to ${clock(end)}`;
    const piece = element("button", { type: "button", title: `${what}, ${when}`, ariaLabel: `Play ${what}, ${when}` });
    if (verdict !== "no speech") {
      piece.append(element("span", { textContent: verdict }));
      piece.style.background = `color-mix(in srgb, ${COLOURS[verdict] ?? COLOURS.other} 15%, transparent)`;
    }
    piece.style.left = `${(100 * start) / duration}%`;
    piece.style.width = `${(100 * (end - start)) / duration}%`;
    const listen = element("button", { type: "button", textContent: "Play", ariaLabel: `Play ${what}, ${when}` });
    for (const button of [piece, listen]) {
      button.ariaPressed = "false";
      button.addEventListener("click", () => play(start, end, [piece, listen], duration));
    }
    pieces.push(piece);
    rows.push(element("tr", {},
      element("td", {}, listen), element("td", { textContent: `${clock(start)} – ${clock(end)}` }),
      element("td", { textContent: verdict }),
      element("td", { textContent: emotion === null ? "–" : percent(probability) })));
  }
  $("pieces").replaceChildren(...pieces);
  $("rows").replaceChildren(...rows);
}

// Left and right go from piece to piece, as in a row of tabs.
$("pieces").addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step) return;
  const pieces = [...$("pieces").children];
  pieces[pieces.indexOf(document.activeElement) + step]?.focus();
  event.preventDefault();
});

// ── Hearing a piece ───────────────────────────────────────────────────────────────────────────────────────────────

async function decoded(file) {
  audio ??= new AudioContext({ sampleRate: 16000 }); // what the recognizer hears, too
  return audio.decodeAudioData(await file.arrayBuffer());
}

async function play(start, end, buttons, duration) {
  const again = playing?.buttons[0] === buttons[0];
  stop();
  if (again) return;
  let samples;
  try {
    samples = await sound;
  } catch {
    fail("this browser cannot play this format; what the recognizer says does not depend on that");
    return;
  }
  await audio.resume();
  const source = audio.createBufferSource();
  source.buffer = samples;
  source.connect(audio.destination);
  const mine = (playing = { source, buttons });
  for (const button of buttons) button.ariaPressed = "true";
  source.onended = () => { if (playing === mine) stop(); };
  const began = audio.currentTime;
  source.start(0, start, end - start);
  say(`Playing ${clock(start)} to ${clock(end)}`);
  $("cursor").hidden = false;
  (function follow() {
    if (playing !== mine) return;
    $("cursor").style.left = `${(100 * Math.min(end, start + audio.currentTime - began)) / duration}%`;
    requestAnimationFrame(follow);
  })();
}

function stop() {
  if (!playing) return;
  const { source, buttons } = playing;
  playing = null;
  source.stop();
  for (const button of buttons) button.ariaPressed = "false";
  $("cursor").hidden = true;
  say("");
}

document.addEventListener("keydown", (event) => { if (event.key === "Escape") stop(); });

// ── A file ────────────────────────────────────────────────────────────────────────────────────────────────────────

$("file").addEventListener("change", () => {
  const [file] = $("file").files;
  if (file) recognize(file);
  $("file").value = ""; // so that the same file can be chosen again
});

for (const kind of ["dragenter", "dragover"]) {
  document.addEventListener(kind, (event) => { event.preventDefault(); document.body.classList.add("dragging"); });
}
for (const kind of ["dragleave", "drop"]) {
  document.addEventListener(kind, (event) => { event.preventDefault(); document.body.classList.remove("dragging"); });
}
document.addEventListener("drop", (event) => {
  const [file] = event.dataTransfer.files;
  if (file) recognize(file);
});

// ── The microphone ────────────────────────────────────────────────────────────────────────────────────────────────

async function record() {
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: false, noiseSuppression: false } });
  } catch (problem) {
    fail(problem.name === "NotAllowedError"
      ? "this page may not use the microphone; allow it in the browser's settings for this site"
      : "there is no microphone that this page can use");
    return;
  }
  stop();
  $("error").textContent = "";
  const parts = [];
  recorder = new MediaRecorder(stream);
  recorder.ondataavailable = (event) => parts.push(event.data);
  const began = performance.now();
  const timer = setInterval(() => {
    const seconds = (performance.now() - began) / 1000;
    $("record-hint").textContent = `${clock(seconds)}; press again to end`;
    if (limits && seconds > limits.max_seconds - 1) recorder.stop();
  }, 100);
  recorder.onstop = () => {
    clearInterval(timer);
    for (const track of stream.getTracks()) track.stop();
    const kind = recorder.mimeType.split(";")[0];
    recorder = null;
    $("record").ariaPressed = "false";
    $("record").querySelector("strong").textContent = "Record";
    $("record-hint").textContent = "with your microphone";
    recognize(new File(parts, "recording", { type: kind }));
  };
  recorder.start();
  $("record").ariaPressed = "true";
  $("record").querySelector("strong").textContent = "Stop";
}

$("record").addEventListener("click", () => (recorder ? recorder.stop() : record()));
if (!navigator.mediaDevices || !window.MediaRecorder) {
  $("record").disabled = true;
  $("record-hint").textContent = "works on https and on this machine itself only";
}

// ── The key, and the card ─────────────────────────────────────────────────────────────────────────────────────────

$("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  key = $("key").value;
  $("error").textContent = "";
  met = meet();
});

$("about").addEventListener("click", () => $("card").showModal());
$("close").addEventListener("click", () => $("card").close());

function showCard({ name, version, card, limits: { max_bytes, max_seconds, max_requests, max_streams } }) {
  $("card-text").replaceChildren(...markdown(card || "This recognizer has no card."));
  const rows = {
    Recognizer: `${name}, with unheard ${version}`,
    "A file": `up to ${max_bytes / 1e6} MB and ${max_seconds} s, any format`,
    "At once": `${max_requests} recordings and ${max_streams} streams`,
  };
  $("limits").replaceChildren(...Object.entries(rows).flatMap(([term, text]) => [
    element("dt", { textContent: term }), element("dd", { textContent: text }),
  ]));
}

// As much of Markdown as model cards use: headings, lists, tables, paragraphs; bold and code; no pictures.
function markdown(text) {
  const found = [];
  for (const block of text.trim().split(/\n\s*\n/)) {
    if (block.startsWith("![")) continue;
    const lines = block.split("\n");
    const heading = /^(#+) (.*)/.exec(lines[0]);
    if (heading) {
      found.push(element(heading[1].length === 1 ? "h3" : "h4", {}, ...inline(heading[2])));
      lines.shift();
    }
    if (!lines.length) continue;
    if (/^[-*] /.test(lines[0])) {
      const items = lines.join("\n").split(/\n(?=[-*] )/).map((item) => item.slice(2).replace(/\s+/g, " "));
      found.push(element("ul", {}, ...items.map((item) => element("li", {}, ...inline(item)))));
    } else if (lines[0].startsWith("|")) {
      const rows = lines.filter((line) => !/^[|\s:-]+$/.test(line) || line === lines[0])
        .map((line) => line.replace(/^\||\|$/g, "").split("|"));
      found.push(element("table", {}, ...rows.map((cells, row) => element("tr", {},
        ...cells.map((cell) => element(row ? "td" : "th", {}, ...inline(cell.trim())))))));
    } else {
      found.push(element("p", {}, ...inline(lines.join(" "))));
    }
  }
  return found;
}

function inline(text) {
  return text.split(/(\*\*[^*]+\*\*|`[^`]+`)/).filter(Boolean).map((part) => {
    if (part.startsWith("**")) return element("strong", { textContent: part.slice(2, -2) });
    if (part.startsWith("`")) return element("code", { textContent: part.slice(1, -1) });
    return part;
  });
}

let met = meet();
