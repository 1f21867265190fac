// Show a network that Python drew (every name in it was escaped there) and let a block be chosen.
// The select box beside it does the same for the keyboard.

const namesOf = (block) => block.dataset.blocks.split(" ");

const mark = (root, selected) => {
  for (const block of root.querySelectorAll("[data-blocks]")) {
    block.classList.toggle("chosen", namesOf(block).includes(selected));
  }
};

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".blocks");
  if (root.markup !== data.markup) {
    root.markup = data.markup;
    root.innerHTML = data.markup;
  }
  root.selected = data.selected;
  mark(root, data.selected);
  root.onclick = (event) => {
    const block = event.target.closest("[data-blocks]");
    if (!block) return;
    // A drawn block may stand for several: further clicks go through them.
    const names = namesOf(block);
    root.selected = names[(names.indexOf(root.selected) + 1) % names.length];
    mark(root, root.selected); // at once; the page follows
    setTriggerValue("picked", root.selected);
  };
}
