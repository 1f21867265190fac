// Two runs on the same images: what the tiles and the detail view say of both.

// A tile: the loops of both, the true class, and what each run answered.
function fillPairTile(tile, facts, source, sheet, place) {
  const [picture, caption] = tile.children;
  const label = source.classes[facts.label];
  if (sheet) picture.append(cut(sheet, place, source));
  else picture.append(element("span", "nothing", label));
  for (const [side, found] of sidesOf(facts, source)) {
    if (!side.loopsMax) continue;
    const corner = side === source.pair.a ? "loops" : "loops other";
    picture.append(element("span", corner, `${side.letter} ${found.loops}`));
  }
  caption.append(element("span", "truth", label));
  for (const [side, found] of sidesOf(facts, source)) {
    const right = found.label === found.prediction;
    const said = `${side.letter} ${right ? "✓" : "✕"} ${source.classes[found.prediction]}`;
    caption.append(element("span", right ? "said" : "said wrong", said));
  }
  tile.title = describePair(facts, source);
  tile.setAttribute("aria-label", tile.title);
  tile.dataset.filled = "yes";
}

function sidesOf(facts, source) {
  return [[source.pair.a, facts], [source.pair.b, facts.other]];
}

function describePair(facts, source) {
  const said = sidesOf(facts, source).map(([side, found]) => {
    const right = found.label === found.prediction;
    const answer = right ? "right" : `wrong: answered ${source.classes[found.prediction]}`;
    const loops = side.loopsMax ? `, ${found.loops} of ${side.loopsMax} loops` : "";
    return `${side.letter} ${side.title}: ${answer}${loops}, confidence ${percent(found.confidence)}`;
  });
  return [source.classes[facts.label], ...said].join("; ");
}

// The detail view: a part for each run, and the facts of both beside each other.
function pairFacts(record, source, inspect) {
  const facts = element("div", "facts");
  facts.append(element("p", "labelled", `labelled ${source.classes[record.label]}`));
  for (const [side, found] of sidesOf(record, source)) {
    const part = element("section", "side");
    const head = element("h3");
    head.append(element("b", "letter", side.letter), element("span", "", side.title));
    part.append(head, answerOf(found, source));
    if (side.loopsMax) part.append(path(found, side));
    const go = () => inspect({ run: side.name, index: found.index });
    part.append(inspectLink(`Inspect with ${side.letter}`, side.inspect, found.index, go));
    facts.append(part);
  }
  facts.append(pairTable(record, source));
  return facts;
}

function pairTable(record, source) {
  const table = element("table");
  const head = element("tr");
  head.append(element("td"), element("th", "", source.pair.a.letter), element("th", "", source.pair.b.letter));
  table.append(head);
  const others = new Map(record.other.facts.map(([name, value]) => [name, value]));
  for (const [name, value, meaning] of record.facts) {
    const row = element("tr");
    const term = element("th", "", name);
    term.scope = "row";
    if (meaning) term.title = meaning;
    row.append(term);
    const other = others.get(name);
    const same = other === undefined || other === value;
    const cell = element("td", "", value);
    if (same) cell.colSpan = 2;
    row.append(cell);
    if (!same) row.append(element("td", "", other));
    table.append(row);
  }
  return table;
}
