"use strict";
// Sorts and filters the faces that stand on this page; it asks nothing of anyone, and the page can be read without it.
(() => {
  const part = (name) => document.getElementById(name);
  const chosen = (name) => (part(name) ? part(name).value : "");
  const lists = [...document.querySelectorAll(".ranking")];
  const faces = lists.flatMap((list) => [...list.children]);
  const byRank = (a, b) => a.dataset.rank - b.dataset.rank;
  const orders = {
    rank: byRank,
    reverse: (a, b) => byRank(b, a),
    name: (a, b) => a.dataset.name.localeCompare(b.dataset.name, undefined, { numeric: true }) || byRank(a, b),
    // those that are nobody's come last
    person: (a, b) => (a.dataset.person === "") - (b.dataset.person === "") ||
      a.dataset.person.localeCompare(b.dataset.person) || byRank(a, b),
  };
  const fits = ({ score, person, warnings }) => {
    const [from, to, warning] = [chosen("from"), chosen("to"), chosen("warning") || "all"];
    const words = warnings.split(" ").filter(Boolean);
    const warned = { all: true, none: !words.length, any: words.length > 0 }[warning];
    return (from === "" || +score >= +from) && (to === "" || +score <= +to) &&
      (chosen("person") === "" || person === chosen("person")) && (warned ?? words.includes(warning));
  };
  const show = () => {
    for (const list of lists) {
      list.append(...[...list.children].sort(orders[chosen("sort")]));
      for (const face of list.children) face.hidden = !fits(face.dataset);
      list.parentElement.hidden = ![...list.children].some((face) => !face.hidden);
    }
    part("count").textContent = `${faces.filter((face) => !face.hidden).length} of ${faces.length} faces`;
  };
  part("controls").addEventListener("input", show);
  part("controls").addEventListener("submit", (event) => event.preventDefault());
  part("controls").hidden = false;
  show(); // a browser may have kept what was chosen before the page was loaded again
})();
