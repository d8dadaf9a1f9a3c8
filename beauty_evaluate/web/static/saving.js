// What a person keeps: the cards that are shown as one picture, or their figures. Both carry the cautions and reasons.
"use strict";

const scoredCards = () => [...results.querySelectorAll(".card:not([hidden])")].filter((card) => card.querySelector(".score"));
const cautionOf = (card) => card.querySelector(".face .warn")?.textContent ?? "";

function save(content, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

function saveJSON() {
  const rows = photos.flatMap((photo, i) => photo.rows.map((row) => {
    const card = results.querySelector(`.card[data-photo="${i}"][data-face="${row.face}"]`), reason = photo.reasons[row.face];
    const caution = cautionOf(card);
    return { ...row, ...(caution && { caution }), ...(reason && { explanation: reason.facts }) };
  }));
  save(new Blob([JSON.stringify(rows)], { type: "application/json" }), "scores.json");
}

// Drawn here, where the fonts for names of files are: first all lines of all cards, and from their number the size.
function savePicture() {
  const side = 256, gap = 24, line = 22, cards = scoredCards();
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
  const bars = (card) => [...card.querySelectorAll(".because tbody tr")].map((row) => ({
    name: row.querySelector("th").textContent, points: row.lastElementChild.textContent,
    raises: !!row.querySelector(".raises"), share: Number(row.querySelector("rect").getAttribute("width")) / 100,
  }));
  font(15);
  const sentences = [...results.querySelectorAll(".verdict")].map((sentence) => sentence.textContent);
  const foot = [...sentences, words.about].flatMap((text) => folded(text, width - 2 * gap));
  const parts = cards.map((card) => {
    const made = [...card.querySelectorAll(".parts tbody tr")].map((row) => [...row.children].map((cell) => cell.textContent.trim()).filter(Boolean).join(" "));
    const texts = [...[".place", "h3"].map((part) => card.querySelector(part).textContent.trim()), made.join(", ")];
    const notes = [cautionOf(card), ...(card.querySelector(".because h4") ? [...card.querySelectorAll(".because h4, .because > p")].map((one) => one.textContent) : [])];
    const fold = (list) => list.filter(Boolean).flatMap((text) => folded(text.replace(/\s+/g, " "), side));
    return { lines: fold(texts), notes: fold(notes), bars: bars(card), overlay: card.querySelector(".overlay") };
  });
  const height = ({ lines, notes, bars, overlay }) => side + 40 + line * (lines.length + notes.length + bars.length + 1) + (overlay ? side + 12 : 0);
  const tall = Math.max(...parts.map(height)), rows = Math.ceil(cards.length / columns);
  [canvas.width, canvas.height] = [width, 60 + rows * (tall + gap) + foot.length * line + gap];
  pen.fillStyle = "#fff"; // whatever the colours of the screen: it may be printed
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = "#222";
  font(24, 700);
  pen.fillText(words.title, gap, 38);
  cards.forEach((card, i) => {
    const x = gap + (i % columns) * (side + gap), part = parts[i];
    let y = 60 + Math.floor(i / columns) * (tall + gap);
    const write = (text, colour = "#222") => { y += line; pen.fillStyle = colour; pen.fillText(text, x, y); };
    pen.drawImage(card.querySelector(".crop"), x, y, side, side);
    y += side + 28;
    font(24, 700);
    pen.fillStyle = "#222";
    pen.fillText(card.querySelector(".score").innerText.replace(/\s+/g, " "), x, y, side);
    font(15);
    part.lines.forEach((text) => write(text));
    part.notes.forEach((text) => write(text, "#8a4304"));
    if (part.overlay) pen.drawImage(part.overlay, x, y + 12, side, side);
    if (part.overlay) y += side + 12;
    for (const { name, points, raises, share } of part.bars) {
      write(name);
      pen.fillText(points, x + side - 45, y);
      pen.fillStyle = raises ? "#b35806" : "#542788";
      pen.fillRect(x + 168 - (raises ? 0 : 80 * share), y - 10, 80 * share, 9);
    }
  });
  font(15);
  pen.fillStyle = "#222";
  foot.forEach((text, k) => pen.fillText(text, gap, canvas.height - gap - line * (foot.length - 1 - k)));
  canvas.toBlob((blob) => save(blob, "scores.png"));
}
