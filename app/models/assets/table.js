// Show a table that Python made (every name in it was escaped there), and say which row is chosen.

const mark = (root, selected) => {
  for (const row of root.querySelectorAll("tr[data-pick]")) {
    const here = row.dataset.pick === selected;
    row.classList.toggle("selected", here);
    row.querySelector("button")?.setAttribute("aria-pressed", String(here));
  }
};

// The drawing stands above the table: bring it into view once a row asks for it.
const lookAt = (name) => {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const behavior = calm ? "auto" : "smooth";
  document.querySelector(`.st-key-${name}`)?.scrollIntoView({ behavior, block: "start" });
};

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".models");
  if (root.markup !== data.markup) {
    const across = root.querySelector(".scroller")?.scrollLeft ?? 0;
    root.markup = data.markup;
    root.innerHTML = data.markup;
    root.querySelector(".scroller").scrollLeft = across;
  }
  mark(root, data.selected);
  root.onclick = (event) => {
    const row = event.target.closest("tr[data-pick]");
    if (!row || event.target.closest("a")) return;
    mark(root, row.dataset.pick); // at once; the page follows
    setTriggerValue("picked", row.dataset.pick);
    lookAt(data.drawing);
  };
}
