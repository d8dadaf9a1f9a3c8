// Why a score is what it is: one face after the other, with progress, beside the card.
"use strict";

let explaining = Promise.resolve();

const cardOf = (photo, face) => results.querySelector(`.card[data-photo="${photos.indexOf(photo)}"][data-face="${face}"]`);

function wait(card, bar) {
  card.querySelector(".why").setAttribute("aria-disabled", "true");
  bar.setAttribute("aria-label", words.explaining);
  card.querySelector(".because").replaceChildren(bar);
}

function finish(card, { overlay }) {
  const image = card.querySelector(".overlay"), button = card.querySelector(".why");
  if (image && overlay) image.src = overlay;
  if (document.activeElement === button) card.querySelector(".because h4").focus();
  button.parentElement.hidden = true;
  card.classList.add("explained");
}

// One after the other: the server explains one face at a time.
function explain(button) {
  const card = button.closest(".card"), photo = photos[card.dataset.photo], { face } = card.dataset, { signal } = givenUp;
  if (button.getAttribute("aria-disabled") === "true") return;
  const bar = photo.waiting[face] = document.createElement("progress");
  wait(card, bar);
  say(words.explaining);
  explaining = explaining.then(async () => {
    if (signal.aborted) return;
    try {
      const spoken = language(), answer = await send("/fragment/why", { photo: [photo.file], face: [face] }, signal);
      let last = null;
      await eachLine(answer.body, (line) => {
        if (line.total) [bar.max, bar.value] = [line.total, line.done];
        if (line.error) throw new Error(line.error.message);
        last = line;
      });
      if (!last?.html) throw new Error(words.lost);
      delete photo.waiting[face];
      const shown = cardOf(photo, face), place = shown.querySelector(".because");
      place.innerHTML = last.html;
      photo.reasons[face] = { facts: last.facts, overlay: place.querySelector(".overlay")?.src };
      finish(shown, photo.reasons[face]);
      if (spoken !== language()) await show();
    } catch (error) {
      delete photo.waiting[face];
      if (signal.aborted) return;
      const note = document.createElement("p"), shown = cardOf(photo, face);
      note.className = "warn";
      note.textContent = error.message;
      shown.querySelector(".because").replaceChildren(note);
      shown.querySelector(".why").removeAttribute("aria-disabled");
    }
    say(results.querySelector("progress") ? words.explaining : "");
  });
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
