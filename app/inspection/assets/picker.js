// Pick one of many pictures: a grid of thumbnails, or a table that compares predictions.
// Everything that comes from outside enters as text, never as markup.

const element = (name, className, text) => {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};

// A piece of the sprite, in percent, so that it may be shown at any size.
const thumbnail = ({ sprite, columns, rows }, position) => {
  const made = element("span", "thumb");
  const x = (position % columns) / Math.max(columns - 1, 1);
  const y = Math.floor(position / columns) / Math.max(rows - 1, 1);
  made.style.backgroundImage = `url("${sprite}")`;
  made.style.backgroundSize = `${100 * columns}% ${100 * rows}%`;
  made.style.backgroundPosition = `${100 * x}% ${100 * y}%`;
  return made;
};

const gridOf = (data, pick) => {
  const grid = element("div", "grid");
  grid.setAttribute("role", "group");
  grid.setAttribute("aria-label", data.label);
  data.items.forEach((item, position) => {
    const button = element("button", "cell");
    button.type = "button";
    button.dataset.id = item.id;
    button.title = item.title;
    button.setAttribute("aria-label", item.title);
    button.append(thumbnail(data, position));
    button.addEventListener("click", () => pick(item.id));
    grid.append(button);
  });
  return grid;
};

const loopsOf = (blocks) => {
  const cell = element("td", "blocks");
  const made = element("span", "loops");
  made.setAttribute("role", "img");
  made.setAttribute(
    "aria-label",
    blocks.map(({ name, ran, most }) => `block ${name}: ${ran} of ${most}`).join(", "),
  );
  for (const { name, ran, most } of blocks) {
    const group = element("span", "block");
    group.title = `block ${name}: ${ran} of ${most} loops`;
    for (let loop = 0; loop < most; loop += 1) {
      group.append(element("i", loop < ran ? "ran" : ""));
    }
    made.append(group);
  }
  cell.append(made);
  return cell;
};

const COLUMNS = [
  { key: "name", title: "Picture" },
  { key: "answer", title: "Prediction" },
  { key: "confidence", title: "Confidence", number: true },
  { key: "loops", title: "Loops", number: true },
  { key: null, title: "Loops of each block" },
];

const rowOf = (data, item, pick) => {
  const row = element("tr");
  row.dataset.id = item.id;
  const name = element("td", "name");
  const button = element("button", "pick");
  button.type = "button";
  button.append(thumbnail(data, item.position), element("span", "", item.name));
  button.title = item.name;
  name.append(button);
  const confidence = element("td", "confidence", item.percent);
  confidence.style.setProperty("--share", item.confidence);
  const loops = element("td", "number", item.blocks.length ? `${item.loops}` : "–");
  row.append(name, element("td", "", item.answer), confidence, loops, loopsOf(item.blocks));
  row.addEventListener("click", () => pick(item.id));
  return row;
};

const tableOf = (data, pick, sorting) => {
  const table = element("table");
  table.setAttribute("aria-label", data.label);
  const head = element("tr");
  const body = element("tbody");
  const fill = () => {
    const { key, down } = sorting;
    const items = data.items.map((item, position) => ({ ...item, position }));
    if (key) {
      const order = (a, b) => (a[key] < b[key] ? -1 : Number(a[key] > b[key]));
      items.sort((a, b) => (down ? order(b, a) : order(a, b)));
    }
    body.replaceChildren(...items.map((item) => rowOf(data, item, pick)));
    for (const cell of head.children) {
      const ours = cell.dataset.key && cell.dataset.key === key;
      cell.setAttribute("aria-sort", ours ? (down ? "descending" : "ascending") : "none");
    }
  };
  for (const { key, title, number } of COLUMNS) {
    const cell = element("th", number ? "number" : "");
    cell.scope = "col";
    if (key) {
      cell.dataset.key = key;
      const button = element("button", "sort", title);
      button.type = "button";
      button.addEventListener("click", () => {
        sorting.down = sorting.key === key ? !sorting.down : Boolean(number);
        sorting.key = key;
        fill();
        mark(body, data.selected);
      });
      cell.append(button);
    } else {
      cell.textContent = title;
    }
    head.append(cell);
  }
  const top = element("thead");
  top.append(head);
  table.append(top, body);
  fill();
  return table;
};

const mark = (root, selected) => {
  for (const found of root.querySelectorAll("[data-id]")) {
    const ours = found.dataset.id === selected;
    found.classList.toggle("selected", ours);
    const button = found.matches("button") ? found : found.querySelector("button");
    button.setAttribute("aria-pressed", String(ours));
  }
};

// Arrow keys walk through a grid's buttons; Home and End go to its ends.
const walk = (event) => {
  const buttons = [...event.currentTarget.querySelectorAll(".cell, .pick")];
  const here = buttons.indexOf(event.target);
  if (here < 0) return;
  const rowLength = buttons.filter((each) => each.offsetTop === buttons[0].offsetTop).length;
  const steps = {
    ArrowRight: 1, ArrowLeft: -1, ArrowDown: rowLength, ArrowUp: -rowLength,
    Home: -here, End: buttons.length - 1 - here,
  };
  const there = buttons[here + steps[event.key]];
  if (!there) return;
  event.preventDefault();
  there.focus();
};

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".picker");
  const pick = (id) => setTriggerValue("picked", id);
  if (root.dataset.version !== data.version) {
    const focused = root.getRootNode().activeElement?.closest("[data-id]")?.dataset.id;
    const sorting = (root.sorting ??= { key: null, down: false });
    root.replaceChildren(data.table ? tableOf(data, pick, sorting) : gridOf(data, pick));
    root.classList.toggle("is-table", Boolean(data.table));
    root.dataset.version = data.version;
    root.onkeydown = walk;
    if (focused) {
      const again = root.querySelector(`[data-id="${CSS.escape(focused)}"]`);
      (again?.matches("button") ? again : again?.querySelector("button"))?.focus();
    }
  }
  mark(root, data.selected);
  const shown = root.querySelector(".selected");
  if (shown && root.dataset.selected !== data.selected) {
    // Scroll inside our own box only: the page stays where it is.
    const low = shown.offsetTop - root.offsetTop;
    const away = low < root.scrollTop || low + shown.offsetHeight > root.scrollTop + root.clientHeight;
    if (away) root.scrollTop = low - root.clientHeight / 2;
  }
  root.dataset.selected = data.selected ?? "";
}
