// A box that hides a part of a picture: drawn, moved and resized by mouse, touch or keyboard.
// Sides are in % of the picture: [left, top, width, height].

const LEAST = 2; // a side
const STEP = 2; // of a key

const within = (value, low, high) => Math.min(Math.max(value, low), high);

const inside = ([left, top, width, height]) => {
  const wide = within(width, LEAST, 100);
  const high = within(height, LEAST, 100);
  return [within(left, 0, 100 - wide), within(top, 0, 100 - high), wide, high];
};

// The box of the same form, at the same place between the picture's edges, that hides `share`.
const grown = (box, share) => {
  const [left, top, width, height] = box;
  const place = (edge, side) => (side < 100 ? edge / (100 - side) : 0.5);
  const times = Math.sqrt((share * 100) / (width * height));
  let [wide, high] = [width * times, height * times];
  if (Math.max(wide, high) > 100) [wide, high] = wide > high ? [100, share] : [share, 100];
  return [place(left, width) * (100 - wide), place(top, height) * (100 - high), wide, high];
};

class BoxEditor {
  constructor(stage, changed) {
    this.changed = changed;
    this.cover = document.createElement("div");
    this.cover.className = "cover";
    this.cover.tabIndex = 0;
    this.cover.setAttribute("role", "application");
    this.cover.setAttribute("aria-roledescription", "box that hides a part of the picture");
    this.frame = document.createElement("div");
    this.frame.className = "frame";
    this.frame.append(Object.assign(document.createElement("span"), { className: "corner" }));
    this.cover.append(this.frame);
    stage.append(this.cover);
    this.cover.addEventListener("pointerdown", (event) => this.press(event));
    this.cover.addEventListener("pointermove", (event) => this.drag(event));
    for (const name of ["pointerup", "pointercancel"]) {
      this.cover.addEventListener(name, () => this.release());
    }
    this.cover.addEventListener("keydown", (event) => this.key(event));
  }

  show(box, usual) {
    this.box = box;
    this.usual = usual;
    this.frame.hidden = !box;
    if (box) {
      const [left, top, width, height] = box.map((side) => `${side}%`);
      Object.assign(this.frame.style, { left, top, width, height });
    }
    const numbers = box && box.map((side) => Math.round(side));
    this.cover.setAttribute(
      "aria-label",
      box
        ? `Box at ${numbers[0]} % from the left, ${numbers[1]} % from the top, ${numbers[2]} by ` +
            `${numbers[3]} %. Arrow keys move it, with Shift they resize it, Delete removes it.`
        : "Nothing is hidden. Press Enter to lay a box over a part, or drag one.",
    );
  }

  at(event) {
    const frame = this.cover.getBoundingClientRect();
    return [
      within((100 * (event.clientX - frame.left)) / frame.width, 0, 100),
      within((100 * (event.clientY - frame.top)) / frame.height, 0, 100),
    ];
  }

  press(event) {
    if (event.button !== 0 || this.held) return;
    const [x, y] = this.at(event);
    const [left, top, width, height] = this.box ?? [0, 0, 0, 0];
    const on = this.box && x >= left && x <= left + width && y >= top && y <= top + height;
    const corner = event.target.className === "corner";
    const kind = corner ? "resize" : on ? "move" : "draw";
    this.held = { kind, from: [x, y], box: this.box, id: event.pointerId };
    this.cover.setPointerCapture(event.pointerId);
    event.preventDefault();
    this.cover.focus({ preventScroll: true });
  }

  drag(event) {
    if (!this.held || event.pointerId !== this.held.id) return;
    const [x, y] = this.at(event);
    const { kind, from, box } = this.held;
    const [dx, dy] = [x - from[0], y - from[1]];
    if (kind === "move") this.changed(inside([box[0] + dx, box[1] + dy, box[2], box[3]]));
    else if (kind === "resize") {
      const room = [100 - box[0], 100 - box[1]];
      const sides = [box[2] + dx, box[3] + dy].map((s, i) => within(s, LEAST, room[i]));
      this.changed([box[0], box[1], ...sides]);
    } else if (Math.max(Math.abs(dx), Math.abs(dy)) >= LEAST) {
      const corner = [Math.min(x, from[0]), Math.min(y, from[1])];
      this.changed(inside([...corner, Math.abs(dx), Math.abs(dy)]));
    }
  }

  release() {
    this.held = null;
  }

  key(event) {
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const way = arrows[event.key];
    if (!this.box && event.key === "Enter") this.changed(this.usual);
    else if (this.box && ["Delete", "Backspace"].includes(event.key)) this.changed(null);
    else if (this.box && way) {
      const [dx, dy] = way.map((one) => one * STEP);
      const [left, top, width, height] = this.box;
      if (!event.shiftKey) this.changed(inside([left + dx, top + dy, width, height]));
      else {
        const sides = [within(width + dx, LEAST, 100 - left), within(height + dy, LEAST, 100 - top)];
        this.changed([left, top, ...sides]);
      }
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
