// One class a column, easy images over hard ones. Names come from outside: they enter as text.

const element = (name, className, text) => {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};

const loops = (count) => (count === 1 ? "1 loop" : `${count} loops`);

const describe = (tile, column, end, data) => {
  const answer = tile.answer ? `wrong: answered ${tile.answer}` : "right";
  const spent = `${tile.loops} of ${loops(data.loopsMax)}`;
  return `${column.name}, ${end}: ${spent}, ${answer}, confidence ${tile.confidence}`;
};

const tileOf = (tile, column, end, data) => {
  const link = element("a", tile.answer ? "tile wrong" : "tile");
  link.href = `${data.inspect}${encodeURIComponent(tile.index)}`;
  link.dataset.index = tile.index;
  link.tabIndex = -1;
  link.title = `${describe(tile, column, end, data)}. Inspect it`;
  if (tile.picture) {
    const image = element("img");
    image.src = tile.picture;
    image.alt = describe(tile, column, end, data);
    image.draggable = false;
    link.append(image);
  } else {
    link.append(element("span", "nothing", tile.answer ? `› ${tile.answer}` : column.name));
    link.setAttribute("aria-label", describe(tile, column, end, data));
  }
  const count = element("span", "loops", tile.loops);
  count.setAttribute("aria-hidden", "true");
  link.append(count);
  if (tile.answer) {
    const cross = element("span", "cross", "✕");
    cross.setAttribute("aria-hidden", "true");
    link.append(cross);
  }
  return link;
};

const WORDS = { easy: ["Easy", "fewest loops"], hard: ["Hard", "most loops"] };

const bandOf = (end, data) => {
  const band = element("tbody", end);
  const across = element("tr", "ranges");
  const side = element("th", "side");
  side.scope = "rowgroup";
  side.rowSpan = data.rows[end] + 1;
  side.append(element("strong", "", WORDS[end][0]), element("span", "", WORDS[end][1]));
  across.append(side);
  for (const column of data.columns) {
    const cell = element("td", "", column[`${end}Loops`] ? `${column[`${end}Loops`]} loops` : "none");
    const shown = column[`${end}Of`];
    if (shown) cell.append(element("span", "", shown));
    cell.title = shown
      ? `${shown} ${end} images of ${column.name} shown, all compared; ${column[`${end}Last`]}`
      : `no ${end} image of ${column.name}: as many loops at both ends, or none that the rule and the filters leave`;
    across.append(cell);
  }
  band.append(across);
  for (let row = 0; row < data.rows[end]; row += 1) {
    const line = element("tr");
    for (const column of data.columns) {
      const cell = element("td");
      const tile = column[end][row];
      if (tile) cell.append(tileOf(tile, column, end, data));
      line.append(cell);
    }
    band.append(line);
  }
  return band;
};

const tableOf = (data) => {
  const table = element("table");
  table.append(element("caption", "", "Easy and hard images, one class a column"));
  const head = element("thead");
  const names = element("tr");
  names.append(element("td", "side"));
  for (const column of data.columns) {
    const name = element("th", "", column.name);
    name.scope = "col";
    name.title = column.name;
    names.append(name);
  }
  head.append(names);
  table.append(head, bandOf("easy", data), bandOf("hard", data));
  return table;
};

// One tile is in the order of the tab key; the arrow keys walk from it to the others.
const place = (tile) => {
  const cell = tile.closest("td");
  return [linesOf(cell.closest("table")).indexOf(cell.parentElement), cell.cellIndex];
};

const linesOf = (table) => [...table.querySelectorAll("tbody tr:not(.ranges)")];

const activate = (root, tile, focus) => {
  for (const each of root.querySelectorAll('.tile[tabindex="0"]')) each.tabIndex = -1;
  tile.tabIndex = 0;
  if (focus) tile.focus();
};

const STEPS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };

const walk = (root, event) => {
  const tile = event.target.closest(".tile");
  if (!tile || event.altKey || event.ctrlKey || event.metaKey) return;
  const all = [...root.querySelectorAll(".tile")];
  const ends = { Home: all[0], End: all[all.length - 1] };
  let next = ends[event.key];
  if (STEPS[event.key]) {
    const rows = linesOf(root.querySelector("table"));
    const [down, across] = STEPS[event.key];
    let [row, cell] = place(tile);
    do {
      row += down;
      cell += across;
      next = rows[row]?.cells[cell]?.querySelector(".tile");
    } while (!next && rows[row]?.cells[cell]);
  }
  if (!next && !STEPS[event.key]) return;
  event.preventDefault();
  if (next) activate(root, next, true);
};

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".easy-hard");
  if (root.dataset.version !== data.version) {
    const scrolled = root.scrollLeft;
    const focused = root.getRootNode().activeElement?.dataset?.index;
    root.replaceChildren(tableOf(data));
    root.dataset.version = data.version;
    root.scrollLeft = scrolled;
    const again = focused && root.querySelector(`.tile[data-index="${CSS.escape(focused)}"]`);
    const first = again || root.querySelector(".tile");
    if (first) activate(root, first, Boolean(again));
  }
  root.onkeydown = (event) => walk(root, event);
  root.onclick = (event) => {
    const tile = event.target.closest(".tile");
    if (!tile || event.ctrlKey || event.metaKey || event.shiftKey) return; // a tab of its own
    event.preventDefault();
    activate(root, tile, false);
    setTriggerValue("inspect", Number(tile.dataset.index));
  };
}
