// One tile: the picture, how many loops it took, its class, and whether the answer was right.

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function emptyTile(position, active) {
  const tile = element("button", "tile");
  tile.type = "button";
  tile.setAttribute("role", "gridcell");
  tile.tabIndex = position === active ? 0 : -1;
  tile.dataset.position = position;
  tile.append(element("span", "picture"), element("span", "caption"));
  return tile;
}

function fillTile(tile, facts, source, sheet, place) {
  if (source.pair) return fillPairTile(tile, facts, source, sheet, place);
  const [picture, caption] = tile.children;
  const label = source.classes[facts.label];
  const answer = source.classes[facts.prediction];
  const right = facts.label === facts.prediction;
  if (sheet) picture.append(cut(sheet, place, source));
  else picture.append(element("span", "nothing", label));
  if (source.loopsMax) picture.append(element("span", "loops", facts.loops));
  if (!right) picture.append(element("span", "cross", "✕"));
  caption.textContent = right ? label : `${label} › ${answer}`;
  tile.classList.toggle("wrong", !right);
  tile.title = describe(facts, source);
  tile.setAttribute("aria-label", tile.title);
  tile.dataset.filled = "yes";
}

function describe(facts, source) {
  const label = source.classes[facts.label];
  const right = facts.label === facts.prediction;
  const answer = right ? "right" : `wrong: answered ${source.classes[facts.prediction]}`;
  const loops = source.loopsMax ? `, ${facts.loops} of ${source.loopsMax} loops` : "";
  return `${label}, ${answer}${loops}, confidence ${percent(facts.confidence)}`;
}

// The tile's own pixels on a canvas of their size, so that neighbours never bleed in.
function cut(sheet, place, source) {
  const side = source.tile;
  const canvas = element("canvas", side < 64 ? "small" : "");
  canvas.width = side;
  canvas.height = side;
  const x = (place % source.sheetColumns) * side;
  const y = Math.floor(place / source.sheetColumns) * side;
  canvas.getContext("2d").drawImage(sheet, x, y, side, side, 0, 0, side, side);
  return canvas;
}

// As percent in app/numbers.py: never 100 % or 0 % of what is not.
function percent(share) {
  const shown = (100 * share).toFixed(1);
  if (shown === "100.0" && share < 1) return "> 99.9 %";
  return shown === "0.0" && share > 0 ? "< 0.1 %" : `${shown} %`;
}
