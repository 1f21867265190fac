// A row for each factor: its name, a slider, and its number in a field; and the box in numbers.

const element = (name, className, text) => {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};

const field = (label, low, high, step, told) => {
  const made = element("input");
  Object.assign(made, { type: "number", min: low, max: high, step });
  made.setAttribute("aria-label", label);
  made.addEventListener("input", () => {
    // While a number is being typed it may be none, or out of bounds: then nothing happens yet.
    const value = made.valueAsNumber;
    if (Number.isFinite(value) && value >= low && value <= high) told(value);
  });
  return made;
};

class Row {
  constructor(factor, told) {
    this.factor = factor;
    const { name, label, unit, low, high, step, most, help } = factor;
    this.root = element("div", "row");
    this.root.title = help;
    const caption = element("label", "", label);
    caption.htmlFor = `range-${name}`;
    this.range = element("input");
    Object.assign(this.range, { type: "range", id: caption.htmlFor, min: low, max: high, step });
    this.range.setAttribute("aria-description", help);
    this.range.addEventListener("input", () => told(this.range.valueAsNumber));
    this.number = field(`${label}, number`, Math.min(low, most), Math.max(high, most), step, told);
    const unitary = element("span", "number");
    unitary.append(this.number, element("i", "", unit));
    this.root.append(caption, this.range, unitary);
  }

  show(value) {
    const { low, high, neutral, digits, unit } = this.factor;
    const share = (number) => Math.min(Math.max((number - low) / (high - low), 0), 1);
    const ends = [share(neutral), share(value)].sort((one, other) => one - other);
    this.range.value = value;
    this.range.style.setProperty("--from", ends[0]);
    this.range.style.setProperty("--to", ends[1]);
    this.range.style.setProperty("--neutral", share(neutral));
    this.range.setAttribute("aria-valuetext", `${value.toFixed(digits)} ${unit}`.trim());
    this.root.classList.toggle("changed", value !== neutral);
    // Whoever is typing a number is not interrupted.
    if (this.number !== this.number.getRootNode().activeElement) {
      this.number.value = value.toFixed(digits);
    }
  }
}

// The box in numbers; hidden where there is none.
class BoxRow {
  constructor(told) {
    this.root = element("div", "box-row");
    this.root.append(element("span", "", "Box"));
    this.fields = ["left", "top", "width", "height"].map((side, place) => {
      const made = field(`Box, ${side} in %`, place < 2 ? 0 : LEAST, 100, 1, (value) => {
        const box = [...this.box];
        box[place] = value;
        told(inside(box));
      });
      const label = element("label", "", side);
      label.append(made);
      this.root.append(label);
      return made;
    });
    this.root.append(element("i", "", "%"));
  }

  show(box) {
    this.box = box;
    this.root.hidden = !box;
    if (!box) return;
    const typing = this.root.getRootNode().activeElement;
    box.forEach((side, place) => {
      if (this.fields[place] !== typing) this.fields[place].value = +side.toFixed(1);
    });
  }
}
