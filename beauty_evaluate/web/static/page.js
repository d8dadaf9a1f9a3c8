// The page without reloading: photos go to the server of this page alone, and stay in this tab.
"use strict";

const $ = (id) => document.getElementById(id);
const form = $("form"), input = $("photo"), drop = $("drop"), pair = $("pair"), results = $("results"), words = form.dataset;
const BATCH = 4; // photos of a request: few enough that the progress moves
const language = () => new URL(form.action).search;
let photos = []; // those whose results are shown: file, rows, crops and reasons by face
let asked = 0, sending = new AbortController(), givenUp = new AbortController();

const say = (text) => { $("status").textContent = text; };

function complain(...texts) {
  $("mistake").replaceChildren();
  for (const text of texts) $("mistake").appendChild(document.createElement("p")).textContent = text;
}

function reveal(root) {
  for (const element of root.querySelectorAll(".script")) element.hidden = false;
}

async function post(address, options) {
  let answer;
  try {
    answer = await fetch(address + language(), { method: "POST", ...options });
  } catch {
    throw new Error(words.lost);
  }
  if (answer.ok) return answer;
  if (answer.status === 413) throw new Error(words.large);
  const reply = await answer.json().catch(() => null);
  throw new Error(reply?.error?.message || words.refused);
}

function send(address, fields, signal) {
  const body = new FormData();
  for (const [name, values] of Object.entries(fields)) for (const value of values) {
    value instanceof File ? body.append(name, value, value.name) : body.append(name, value);
  }
  return post(address, { body, signal });
}

function* batches(files) {
  let part = [], size = 0;
  for (const file of files) {
    if (part.length === BATCH || (part.length && size + file.size > Number(words.limit))) {
      yield part;
      [part, size] = [[], 0];
    }
    part.push(file);
    size += file.size;
  }
  if (part.length) yield part;
}

// What became of the photos of one request, as this page keeps it.
function read(html, files) {
  const answer = new DOMParser().parseFromString(html, "text/html");
  const rows = JSON.parse(answer.getElementById("scored").dataset.photos);
  const kept = files.map((file, i) => ({ file, rows: rows[i], crops: {}, reasons: {}, waiting: {} }));
  for (const card of answer.querySelectorAll(".card")) {
    kept[card.dataset.photo].crops[card.dataset.face] = card.querySelector(".crop")?.src;
  }
  return kept;
}

function showProgress(done, total) {
  $("sending").hidden = done >= total;
  [$("sent").max, $("sent").value] = [total, done];
  say(done >= total ? "" : total > BATCH ? words.progress.replace("{done}", done).replace("{total}", total) : words.working);
}

async function score(files, kept = []) {
  const turn = ++asked, scored = [], fits = (file) => file.size <= Number(words.limit);
  const chosen = [...files].filter(fits), wrong = [...files].filter((file) => !fits(file)).map((file) => `${file.name}: ${words.large}`);
  if (!files.length) return;
  sending.abort();
  sending = new AbortController();
  const { signal } = sending;
  complain(...wrong);
  try {
    for (const part of batches(chosen)) {
      showProgress(scored.length, chosen.length);
      const answer = await send("/fragment/score", { photo: part }, signal);
      scored.push(...read(await answer.text(), part));
      if (turn !== asked) return;
    }
  } catch (error) {
    if (turn !== asked) return;
    if (!signal.aborted) wrong.push(error.message); // or somebody pressed Stop
  }
  showProgress(1, 1);
  complain(...wrong);
  if (!scored.length) return; // what was shown stays
  if (!kept.length) {
    givenUp.abort(); // nobody waits for the reasons of what was shown before
    givenUp = new AbortController();
  }
  photos = [...kept, ...scored];
  if (!await show()) return;
  results.focus({ preventScroll: true });
  results.scrollIntoView({ block: "start" });
}

// Results anew, in the page's language and order; no photo is sent again for that.
async function show() {
  const shown = photos, address = language();
  const why = photos.flatMap(({ reasons }, photo) => Object.entries(reasons).map(([face, { facts }]) => ({ photo, face, facts })));
  const state = { photos: photos.map(({ rows }) => rows), pair: pair.checked, why };
  try {
    const answer = await post("/fragment/show", { body: JSON.stringify(state), headers: { "Content-Type": "application/json" } });
    const html = await answer.text();
    if (shown !== photos || address !== language()) return false;
    results.innerHTML = html;
  } catch (error) {
    complain(error.message);
    return false;
  }
  for (const card of results.querySelectorAll(".card")) {
    const photo = photos[card.dataset.photo], { face } = card.dataset;
    if (face === "0") continue;
    card.querySelector(".crop").src = photo.crops[face];
    if (photo.reasons[face]) finish(card, photo.reasons[face]);
    if (photo.waiting[face]) wait(card, photo.waiting[face]);
  }
  reveal(results);
  for (const card of results.querySelectorAll(".card.explained")) card.querySelector(".why").parentElement.hidden = true;
  offerFaces();
  return true;
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
  image.alt = photos[0].file.name;
  image.addEventListener("load", () => begin(true));
  image.addEventListener("error", () => { frame.remove(); begin(false); }); // a format that this browser cannot show
  frame.appendChild(image);
  place.appendChild(frame);
  image.src = URL.createObjectURL(photos[0].file);
}

// The other language: the words of this page are exchanged, and what is shown stays.
async function translate(link) {
  const address = link.href;
  try {
    const answer = await fetch(address);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.documentElement.lang = page.documentElement.lang;
    document.title = page.title;
    exchange(document.body, page.body);
    history.replaceState(null, "", address);
  } catch {
    complain(words.lost);
    return;
  }
  complain();
  if (photos.length) await show();
}

function exchange(here, there) {
  if (["status", "mistake"].includes(here.id)) return;
  for (const { name, value } of there.attributes) {
    if (/^(aria-label|lang|hreflang|href|action|data-.*)$/.test(name)) here.setAttribute(name, value);
  }
  if (here === results) return;
  const nodes = [...there.childNodes];
  [...here.childNodes].forEach((node, i) => {
    if (node.nodeType === Node.ELEMENT_NODE) exchange(node, nodes[i]);
    else node.data = nodes[i].data;
  });
}

async function trySample(button) {
  const answer = await fetch(button.dataset.address).catch(() => null);
  if (!answer?.ok) return complain(words.lost);
  const name = button.dataset.address.split("/").at(-1);
  return score([new File([await answer.blob()], name, { type: "image/jpeg" })]);
}

const pictures = (list) => [...(list ?? [])].filter((file) => file.type.startsWith("image/") || /\.(heic|heif|avif)$/i.test(file.name));

document.body.classList.add("scripted");
reveal(document);
form.addEventListener("submit", (event) => { event.preventDefault(); score(input.files); });
input.addEventListener("change", () => { score([...input.files]); input.value = ""; });
pair.addEventListener("change", () => { if (photos.length > 1) show(); });
document.addEventListener("paste", (event) => score(pictures(event.clipboardData?.files)));
for (const kind of ["dragover", "dragenter"]) document.addEventListener(kind, (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
for (const kind of ["dragleave", "drop"]) document.addEventListener(kind, () => drop.classList.remove("over"));
document.addEventListener("drop", (event) => { event.preventDefault(); score(event.dataTransfer?.files ?? []); });
$("sample").addEventListener("click", (event) => { event.preventDefault(); trySample($("sample")); });
$("halt").addEventListener("click", () => sending.abort());
$("language").addEventListener("click", (event) => { event.preventDefault(); translate($("language")); });
results.addEventListener("change", (event) => {
  if (event.target.id === "more") score([...event.target.files], photos);
});
results.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.classList.contains("why")) explain(button);
  if (button?.id === "swap") { photos = [...photos].reverse(); show(); }
  if (button?.id === "save-picture") savePicture();
  if (button?.id === "save-json") saveJSON();
});
