// The detail view: the picture as the network saw it, its answer, and the path it took.

class Detail {
  constructor(dialog, { grid, changed, inspect }) {
    Object.assign(this, { dialog, grid, changed, inspect });
    dialog.onclose = () => {
      this.changed(null);
      grid.focus(this.position);
    };
    dialog.onclick = (event) => {
      if (event.target === dialog) dialog.close(); // the backdrop
    };
    dialog.onkeydown = (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
      this.move(step);
    };
  }

  move(step) {
    const position = this.position + step;
    if (position < 0 || position >= this.grid.source.count) return;
    this.open(position);
  }

  async open(position) {
    this.position = position;
    this.grid.focus(position, false);
    if (!this.dialog.open) this.dialog.showModal();
    const { source } = this.grid;
    const turn = (this.turn = {});
    try {
      const query = source.query ? `${source.query}&` : "";
      const answer = await fetch(`${source.url}/at/${position}.json?${query}v=${source.version}`);
      if (!answer.ok) throw new Error(`${answer.status}`);
      const record = await answer.json();
      if (turn !== this.turn) return;
      this.show(record, source);
      this.changed(record.index);
    } catch {
      if (turn === this.turn) this.fail();
    }
  }

  fail() {
    const text = "This record did not arrive. Is the server still running?";
    this.dialog.replaceChildren(this.bar("", 0), element("p", "failed", text));
  }

  show(record, source) {
    const had = this.dialog.getRootNode().activeElement?.dataset?.role;
    const title = `${(this.position + 1).toLocaleString("en")} of ${source.count.toLocaleString("en")}`;
    const body = element("div", "body");
    body.append(this.picture(record, source), this.facts(record, source));
    const words = source.pair ? describePair(record, source) : describe(record, source);
    this.dialog.setAttribute("aria-label", words);
    this.dialog.replaceChildren(this.bar(title, source.count), body);
    const focus = this.dialog.querySelector(`[data-role="${had || "close"}"]:not(:disabled)`);
    (focus || this.dialog.querySelector('[data-role="close"]')).focus();
  }

  bar(title, count) {
    const bar = element("header");
    const place = element("span", "place", title);
    place.setAttribute("aria-live", "polite");
    const back = this.button("previous", "‹", "Previous image (left arrow)", () => this.move(-1));
    const next = this.button("next", "›", "Next image (right arrow)", () => this.move(1));
    back.disabled = this.position === 0;
    next.disabled = this.position >= count - 1;
    const close = this.button("close", "✕", "Close (Escape)", () => this.dialog.close());
    bar.append(back, next, place, close);
    return bar;
  }

  button(role, text, label, act) {
    const button = element("button", "tool", text);
    button.type = "button";
    button.dataset.role = role;
    button.title = label;
    button.setAttribute("aria-label", label);
    button.onclick = act;
    return button;
  }

  picture(record, source) {
    const frame = element("div", "large");
    if (!source.pictures) {
      frame.append(element("span", "nothing", "the picture is not here"));
      return frame;
    }
    const image = element("img");
    image.alt = `a picture labelled ${source.classes[record.label]}, as the network saw it`;
    image.src = `${source.url}/image/${record.row}.png?v=${source.version}`;
    frame.append(image);
    return frame;
  }

  facts(record, source) {
    if (source.pair) return pairFacts(record, source, this.inspect);
    const facts = element("div", "facts");
    facts.append(answerOf(record, source));
    if (source.loopsMax) facts.append(path(record, source));
    facts.append(table(record));
    if (source.inspect) {
      const go = () => this.inspect(record.index);
      facts.append(inspectLink("Inspect this image", source.inspect, record.index, go));
    }
    return facts;
  }
}

function inspectLink(words, address, index, go) {
  const link = element("a", "inspect", words);
  link.href = `${address}${encodeURIComponent(index)}`;
  link.onclick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a tab of its own
    event.preventDefault();
    go();
  };
  return link;
}

function answerOf(record, source) {
  const right = record.label === record.prediction;
  const answer = element("p", right ? "answer" : "answer wrong");
  answer.append(
    element("strong", "", source.classes[record.prediction]),
    element("span", "", ` with ${percent(record.confidence)} confidence`),
    element("em", "", right ? "✓ right" : `✕ wrong, labelled ${source.classes[record.label]}`),
  );
  return answer;
}

// The path in simple form: a mark for each loop of each block, filled where it ran.
function path(record, source) {
  const box = element("div", "path");
  box.append(element("h3", "", `${record.loops} of ${source.loopsMax} loops`));
  const list = element("ul");
  record.blocks.forEach((block) => {
    const item = element("li");
    item.append(element("span", "block", block.name));
    const marks = element("span", "marks");
    marks.setAttribute("role", "img");
    marks.setAttribute("aria-label", `${block.ran} of ${block.gates.length} loops`);
    block.gates.forEach((gate, loop) => marks.append(mark(gate, loop, block.ran)));
    item.append(marks, element("span", "count", `${block.ran}/${block.gates.length}`));
    list.append(item);
  });
  box.append(list);
  return box;
}

function mark(gate, loop, ran) {
  const kind = loop < ran ? "ran" : loop === ran && gate !== null ? "stopped" : "never";
  const made = element("i", kind);
  const chance = gate === null ? "" : `, the gate gave ${percent(gate)}`;
  const word = { ran: "ran", stopped: "the gate closed here", never: "not reached" }[kind];
  made.title = `loop ${loop + 1}: ${word}${chance}`;
  return made;
}

function table(record) {
  const list = element("dl");
  for (const [name, value, meaning] of record.facts) {
    const term = element("dt", "", name);
    if (meaning) term.title = meaning;
    list.append(term, element("dd", "", value));
  }
  return list;
}
