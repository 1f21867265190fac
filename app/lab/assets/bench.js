// The sliders, and the picture before and after. What is changed here is sent to Python at once,
// but never more than one question at a time: the next waits for the answer to the last, so that
// the path follows a slider that is being dragged as fast as the network can.

const PATIENCE = 10000; // ms until an answer counts as lost

class Bench {
  constructor(parent, data) {
    this.root = parent.querySelector(".bench");
    this.serial = data.serial;
    const rows = this.root.querySelector(".rows");
    this.rows = data.factors.map((factor) => {
      const row = new Row(factor, (value) => this.set(factor.name, value));
      rows.append(row.root);
      return row;
    });
    this.boxRow = new BoxRow((box) => this.hide(box));
    const occlusion = this.rows.find(({ factor }) => factor.name === "occlusion");
    occlusion.root.after(this.boxRow.root);
    this.reset = this.root.querySelector(".reset");
    this.reset.addEventListener("click", () => this.clear());
    this.pictures = [...this.root.querySelectorAll("figure")];
    this.editor = new BoxEditor(this.pictures[1].querySelector(".stage"), (box) => this.hide(box));
    this.said = this.root.querySelector("[role=status]");
    this.values = {};
  }

  update(component) {
    const { data } = component;
    this.component = component;
    this.usual = data.usual;
    data.pictures.forEach(({ markup, caption }, place) => {
      this.fill(this.pictures[place].querySelector(".pixels"), markup);
      this.fill(this.pictures[place].querySelector("figcaption"), caption);
    });
    if (this.said.textContent !== data.said) this.said.textContent = data.said;
    // An older answer: what is on the sliders by now is not overwritten by it.
    if (this.waiting && data.serial < this.serial) return;
    clearTimeout(this.lost);
    this.waiting = false;
    if (this.sent !== undefined && this.text() !== this.sent) return this.send();
    this.values = { ...data.values };
    this.box = data.box;
    this.sent = this.text();
    this.paint();
  }

  fill(place, markup) {
    if (place.markup === markup) return;
    place.markup = markup;
    place.innerHTML = markup;
  }

  set(name, value) {
    if (name !== "occlusion") this.values[name] = value;
    else this.box = value > 0 ? grown(this.box ?? this.usual, value) : null;
    this.changed();
  }

  hide(box) {
    this.box = box;
    this.changed();
  }

  clear() {
    for (const { factor } of this.rows) this.values[factor.name] = factor.neutral;
    this.box = null;
    this.changed();
  }

  changed() {
    this.paint();
    if (!this.waiting) this.send();
  }

  paint() {
    const share = this.box ? (this.box[2] * this.box[3]) / 100 : 0;
    for (const row of this.rows) {
      const { name } = row.factor;
      row.show(name === "occlusion" ? Math.round(share) : this.values[name]);
    }
    this.boxRow.show(this.box);
    this.editor.show(this.box, this.usual);
    this.reset.disabled = !this.text();
  }

  // What is changed, in the words of the address.
  text() {
    const words = this.rows
      .filter(({ factor }) => factor.name !== "occlusion")
      .filter(({ factor }) => this.values[factor.name] !== factor.neutral)
      .map(({ factor }) => `${factor.name} ${+this.values[factor.name].toFixed(factor.digits)}`);
    if (this.box) words.push(`box ${this.box.map((side) => +side.toFixed(1)).join(" ")}`);
    return words.join(" ");
  }

  send() {
    const text = this.text();
    if (text === this.sent) return;
    this.sent = text;
    this.serial += 1;
    this.waiting = true;
    this.component.setStateValue("edit", { text, serial: this.serial });
    clearTimeout(this.lost);
    this.lost = setTimeout(() => {
      this.waiting = false;
      this.sent = null;
      this.send();
    }, PATIENCE);
  }

  close() {
    clearTimeout(this.lost);
  }
}

const benches = new WeakMap();

export default function show(component) {
  const parent = component.parentElement;
  if (!benches.has(parent)) benches.set(parent, new Bench(parent, component.data));
  benches.get(parent).update(component);
  return () => {
    benches.get(parent)?.close();
    benches.delete(parent);
  };
}
