// The page without reloading: photos go to the server of this page alone, and stay in this tab.
"use strict";

const $ = (id) => document.getElementById(id);
const form = $("form"), input = $("photo"), drop = $("drop"), view = $("view"), pair = $("pair"), results = $("results");
const words = form.dataset, language = new URL(form.action).search;
let photos = []; // those whose results are shown
let asked = 0, stream = null, explaining = Promise.resolve(), givenUp = new AbortController();

const say = (text) => { $("status").textContent = text; };

function complain(text) {
  $("mistake").replaceChildren();
  if (text) $("mistake").appendChild(document.createElement("p")).textContent = text;
}

function reveal(root) {
  for (const element of root.querySelectorAll(".script")) element.hidden = false;
}

async function send(address, fields, signal) {
  const body = new FormData(), size = fields.photo.reduce((sum, file) => sum + file.size, 0);
  if (size > Number(words.limit)) throw new Error(words.large); // the server would hang up, and nobody know why
  for (const [name, values] of Object.entries(fields)) for (const value of values) {
    value instanceof File ? body.append(name, value, value.name) : body.append(name, value);
  }
  let answer;
  try {
    answer = await fetch(address + language, { method: "POST", body, signal });
  } catch {
    throw new Error(words.lost);
  }
  if (answer.ok) return answer;
  if (answer.status === 413) throw new Error(words.large);
  const reply = await answer.json().catch(() => null);
  throw new Error(reply?.error?.message || words.refused);
}

async function score(files) {
  const chosen = [...files], turn = ++asked;
  if (!chosen.length) return;
  complain("");
  say(words.working);
  try {
    const answer = await send("/fragment/score", { photo: chosen, ...(pair.checked && { pair: ["1"] }) });
    const html = await answer.text();
    if (turn !== asked) return;
    givenUp.abort(); // nobody waits for the reasons of what was shown before
    givenUp = new AbortController();
    photos = chosen;
    results.innerHTML = html;
    reveal(results);
    offerFaces();
    say("");
    results.focus({ preventScroll: true });
    results.scrollIntoView({ block: "start" });
  } catch (error) {
    if (turn !== asked) return;
    say("");
    complain(error.message);
  }
}

// Several faces in one photo: the photo with a button on each face, and a button for all.
function offerFaces() {
  const cards = [...results.querySelectorAll(".card")].filter((card) => card.dataset.face !== "0");
  if (photos.length !== 1 || cards.length < 2) return;
  const place = $("pick"), frame = document.createElement("div"), image = new Image(), choices = [];
  const choose = (button, shown) => {
    for (const card of cards) card.hidden = !shown.includes(card);
    for (const choice of choices) choice.setAttribute("aria-pressed", String(choice === button));
  };
  const offer = (parent, text, shown) => {
    const button = parent.appendChild(document.createElement("button"));
    button.type = "button";
    button.addEventListener("click", () => choose(button, shown));
    choices.push(button);
    button.appendChild(document.createElement("span")).textContent = text;
    return button;
  };
  const begin = (seen) => {
    const percent = (part, whole) => `${(100 * part) / whole}%`, [width, height] = [image.naturalWidth, image.naturalHeight];
    for (const card of cards) {
      const [x, y, w, h] = card.dataset.box.split(" ").map(Number), button = offer(seen ? frame : place, card.dataset.face, [card]);
      button.setAttribute("aria-label", card.querySelector("h3").textContent);
      if (!seen) continue;
      button.className = "box";
      Object.assign(button.style, {
        left: percent(x, width), width: percent(w, width), top: percent(y, height), height: percent(h, height),
      });
    }
    choose(offer(place, words.every, cards), cards);
    URL.revokeObjectURL(image.src);
    place.hidden = false;
  };
  frame.className = "photo";
  image.alt = photos[0].name;
  image.addEventListener("load", () => begin(true));
  image.addEventListener("error", () => { frame.remove(); begin(false); }); // a format that this browser cannot show
  frame.appendChild(image);
  place.appendChild(frame);
  image.src = URL.createObjectURL(photos[0]);
}

// One after the other: the server explains one face at a time.
function explain(button) {
  const card = button.closest(".card"), place = card.querySelector(".because"), signal = givenUp.signal;
  const photo = photos[card.dataset.photo], bar = document.createElement("progress");
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  bar.setAttribute("aria-label", words.explaining);
  place.replaceChildren(bar);
  say(words.explaining);
  const work = async () => {
    if (signal.aborted) return;
    try {
      const answer = await send("/fragment/why", { photo: [photo], face: [card.dataset.face] }, signal);
      await eachLine(answer.body, (line) => {
        if (line.total) [bar.max, bar.value] = [line.total, line.done];
        if (line.html) place.innerHTML = line.html;
        if (line.error) throw new Error(line.error.message);
      });
      if (place.contains(bar)) throw new Error(words.lost);
      if (document.activeElement === button) place.querySelector("h4").focus();
      button.parentElement.hidden = true;
    } catch (error) {
      if (signal.aborted) return;
      const note = document.createElement("p");
      note.className = "warn";
      note.textContent = error.message;
      place.replaceChildren(note);
      button.removeAttribute("aria-disabled");
    }
    say(results.querySelector("progress") ? words.explaining : "");
  };
  explaining = explaining.then(work);
}

async function eachLine(body, use) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) use(JSON.parse(line));
  }
}

function save(content, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

// The cards that are shown, as one picture; drawn here, where the fonts for names of files are.
function savePicture() {
  const side = 256, gap = 24, line = 22, cards = [...results.querySelectorAll(".card:not([hidden])")].filter((card) => card.querySelector(".score"));
  const columns = Math.min(3, Math.max(2, cards.length)), width = columns * (side + gap) + gap;
  const canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
  const font = (size, weight = 400) => { pen.font = `${weight} ${size}px ${getComputedStyle(document.body).fontFamily}`; };
  const folded = (text, most) => {
    const lines = [""];
    for (const part of text.match(/[\u3000-\uffef]|[^\s\u3000-\uffef]+\s*|\s+/g) ?? []) {
      if (pen.measureText(lines.at(-1) + part).width > most && lines.at(-1)) lines.push("");
      lines[lines.length - 1] += part;
    }
    return lines;
  };
  font(15);
  const sentences = [...results.querySelectorAll(".verdict")].map((sentence) => sentence.textContent);
  const foot = [...sentences, words.about].flatMap((text) => folded(text, width - 2 * gap));
  const names = cards.map((card) => folded(card.querySelector("h3").textContent, side));
  const tall = side + 34 + line * (2 + Math.max(1, ...names.map((name) => name.length)) + 1), rows = Math.ceil(cards.length / columns);
  [canvas.width, canvas.height] = [width, 60 + rows * (tall + gap) + foot.length * line + gap];
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = "#222";
  font(24, 700);
  pen.fillText(words.title, gap, 38);
  cards.forEach((card, i) => {
    const x = gap + (i % columns) * (side + gap), y = 60 + Math.floor(i / columns) * (tall + gap);
    pen.drawImage(card.querySelector(".face img"), x, y, side, side);
    font(24, 700);
    pen.fillText(card.querySelector(".score").innerText.replace(/\s+/g, " "), x, y + side + 28);
    font(15);
    const place = folded(card.querySelector(".place").textContent, side);
    [...place, ...names[i]].forEach((text, k) => pen.fillText(text, x, y + side + 30 + line * (k + 1)));
  });
  font(15);
  foot.forEach((text, k) => pen.fillText(text, gap, canvas.height - gap - line * (foot.length - 1 - k)));
  canvas.toBlob((blob) => save(blob, "scores.png"));
}

async function startCamera() {
  complain("");
  $("camera").disabled = true; // or a second press would leave the first camera on
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 }, facingMode: "user" } });
    view.srcObject = stream;
    $("shot").hidden = false;
    await view.play();
    $("shoot").focus();
  } catch {
    if (stream) stopCamera();
    $("camera").disabled = false;
    complain(words.noCamera);
  }
}

function stopCamera() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = view.srcObject = null;
  $("shot").hidden = true;
  $("camera").disabled = false;
  $("camera").focus();
}

function shoot() {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [view.videoWidth, view.videoHeight];
  if (!canvas.width) return;
  canvas.getContext("2d").drawImage(view, 0, 0);
  canvas.toBlob((blob) => {
    stopCamera();
    score([new File([blob], "camera.jpg", { type: "image/jpeg" })]);
  }, "image/jpeg", 0.95);
}

const pictures = (list) => [...(list ?? [])].filter((file) => file.type.startsWith("image/") || /\.(heic|heif|avif)$/i.test(file.name));

document.body.classList.add("scripted");
reveal(document);
$("camera").hidden = !navigator.mediaDevices?.getUserMedia;
form.addEventListener("submit", (event) => { event.preventDefault(); score(input.files); });
input.addEventListener("change", () => { score(input.files); input.value = ""; });
pair.addEventListener("change", () => { if (photos.length > 1) score(photos); });
document.addEventListener("paste", (event) => score(pictures(event.clipboardData?.files)));
for (const kind of ["dragover", "dragenter"]) document.addEventListener(kind, (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
for (const kind of ["dragleave", "drop"]) document.addEventListener(kind, () => drop.classList.remove("over"));
document.addEventListener("drop", (event) => { event.preventDefault(); score(event.dataTransfer?.files ?? []); });
$("camera").addEventListener("click", startCamera);
$("stop").addEventListener("click", stopCamera);
$("shoot").addEventListener("click", shoot);
results.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.classList.contains("why")) explain(button);
  if (button?.id === "swap") score([...photos].reverse());
  if (button?.id === "save-picture") savePicture();
  if (button?.id === "save-json") save(new Blob([$("scored").dataset.rows], { type: "application/json" }), "scores.json");
});
