// The page without reloading: photos go to this server alone, and stay in this tab.
"use strict";

const form = document.getElementById("form"), input = document.getElementById("photo"), drop = document.getElementById("drop");
const shot = document.getElementById("shot"), view = document.getElementById("view"), pair = document.getElementById("pair");
const results = document.getElementById("results"), words = form.dataset;
const language = new URL(form.action).search;
let photos = [], asked = 0, stream = null;

const say = (text) => { document.getElementById("status").textContent = text; };

function complain(text) {
  const place = document.getElementById("mistake");
  place.replaceChildren();
  if (text) place.appendChild(document.createElement("p")).textContent = text;
}

function reveal(root) {
  for (const element of root.querySelectorAll(".script")) element.hidden = false;
}

async function send(address, fields) {
  const body = new FormData(), size = fields.photo.reduce((sum, file) => sum + file.size, 0);
  if (size > Number(words.limit)) throw new Error(words.large);  // the server would hang up, and nobody know why
  for (const [name, values] of Object.entries(fields)) for (const value of values) {
    value instanceof File ? body.append(name, value, value.name) : body.append(name, value);
  }
  let answer;
  try {
    answer = await fetch(address + language, { method: "POST", body });
  } catch {
    throw new Error(words.lost);
  }
  if (answer.ok) return answer;
  if (answer.status === 413) throw new Error(words.large);
  const told = await answer.json().catch(() => null);
  throw new Error(told?.error?.message || words.refused);
}

async function score(files) {
  if (!files.length) return;
  const turn = ++asked;
  photos = [...files];
  complain("");
  say(words.working);
  try {
    const answer = await send("/fragment/score", { photo: photos, ...(pair.checked && { pair: ["1"] }) });
    const html = await answer.text();
    if (turn !== asked) return;
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
  const place = document.getElementById("pick"), frame = document.createElement("div"), image = new Image();
  const choices = [];
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
  frame.className = "photo";
  image.alt = photos[0].name;
  image.src = URL.createObjectURL(photos[0]);
  image.addEventListener("load", () => {
    for (const card of cards) {
      const [x, y, w, h] = card.dataset.box.split(" ").map(Number), button = offer(frame, card.dataset.face, [card]);
      const percent = (part, whole) => `${(100 * part) / whole}%`;
      button.className = "box";
      button.setAttribute("aria-label", card.querySelector("h3").textContent);
      Object.assign(button.style, {
        left: percent(x, image.naturalWidth), width: percent(w, image.naturalWidth),
        top: percent(y, image.naturalHeight), height: percent(h, image.naturalHeight),
      });
    }
    choose(offer(place, words.every, cards), cards);
    URL.revokeObjectURL(image.src);
  });
  frame.appendChild(image);
  place.appendChild(frame);
  place.hidden = false;
}

async function explain(button) {
  const card = button.closest(".card"), place = card.querySelector(".because");
  const bar = document.createElement("progress"), note = document.createElement("p");
  button.disabled = true;
  note.textContent = words.explaining;
  note.setAttribute("role", "status");
  bar.setAttribute("aria-label", words.explaining);
  place.replaceChildren(note, bar);
  try {
    const answer = await send("/fragment/why", { photo: [photos[card.dataset.photo]], face: [card.dataset.face] });
    await eachLine(answer.body, (line) => {
      if (line.total) [bar.max, bar.value] = [line.total, line.done];
      if (line.html) place.innerHTML = line.html;
      if (line.error) throw new Error(line.error.message);
    });
    if (place.contains(bar)) throw new Error(words.lost);
    button.hidden = true;
  } catch (error) {
    note.textContent = error.message;
    place.replaceChildren(note);
    button.disabled = false;
  }
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

async function savePicture() {
  try {
    save(await (await send("/api/sheet", { photo: photos })).blob(), "scores.png");
  } catch (error) {
    complain(error.message);
  }
}

async function startCamera() {
  complain("");
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 }, facingMode: "user" } });
  } catch {
    return complain(words.noCamera);
  }
  view.srcObject = stream;
  shot.hidden = false;
  await view.play();
  document.getElementById("shoot").focus();
}

function stopCamera() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = view.srcObject = null;
  shot.hidden = true;
}

function shoot() {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [view.videoWidth, view.videoHeight];
  canvas.getContext("2d").drawImage(view, 0, 0);
  canvas.toBlob((blob) => {
    stopCamera();
    score([new File([blob], "camera.jpg", { type: "image/jpeg" })]);
  }, "image/jpeg", 0.95);
}

const pictures = (list) => [...(list ?? [])].filter((file) => file.type.startsWith("image/") || /\.(heic|heif|avif)$/i.test(file.name));

document.body.classList.add("scripted");
reveal(document);
document.getElementById("camera").hidden = !navigator.mediaDevices?.getUserMedia;
form.addEventListener("submit", (event) => { event.preventDefault(); score(input.files); });
input.addEventListener("change", () => { score(input.files); input.value = ""; });
pair.addEventListener("change", () => { if (photos.length === 2) score(photos); });
document.addEventListener("paste", (event) => score(pictures(event.clipboardData?.files)));
for (const kind of ["dragover", "dragenter"]) document.addEventListener(kind, (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
for (const kind of ["dragleave", "drop"]) document.addEventListener(kind, () => drop.classList.remove("over"));
document.addEventListener("drop", (event) => { event.preventDefault(); score([...(event.dataTransfer?.files ?? [])]); });
document.getElementById("camera").addEventListener("click", startCamera);
document.getElementById("stop").addEventListener("click", stopCamera);
document.getElementById("shoot").addEventListener("click", shoot);
results.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.classList.contains("why")) explain(button);
  if (button?.id === "save-picture") savePicture();
  if (button?.id === "save-json") {
    const rows = document.getElementById("found").dataset.rows;
    save(new Blob([rows], { type: "application/json" }), "scores.json");
  }
});
