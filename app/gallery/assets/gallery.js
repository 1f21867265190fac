// Entry point, called by Streamlit whenever its data or the theme changes.

const galleries = new WeakMap();

class Gallery {
  constructor(parent) {
    const root = parent.querySelector(".gallery");
    this.scroller = root.querySelector(".scroller");
    this.notice = root.querySelector(".notice");
    const dialog = root.querySelector("dialog");
    this.grid = new Grid(this.scroller, (position) => this.detail.open(position));
    this.detail = new Detail(dialog, {
      grid: this.grid,
      changed: (index) => this.tell(index),
      inspect: (wanted) => {
        clearTimeout(this.telling); // the page is left: its address is another's soon
        this.component.setTriggerValue("inspect", wanted);
      },
    });
  }

  // Put the open image into the address bar, once the reader has stayed with it for a moment.
  tell(index) {
    clearTimeout(this.telling);
    this.telling = setTimeout(() => this.component.setStateValue("image", index), 300);
  }

  update(component) {
    this.component = component;
    const { source, open, turn } = component.data;
    this.notice.textContent = source.notice;
    this.notice.hidden = !source.notice;
    this.scroller.hidden = source.count === 0;
    this.scroller.setAttribute("aria-label", `${source.count} images`);
    if (this.stamp === source.stamp) return;
    const first = this.stamp === undefined;
    this.stamp = source.stamp;
    this.grid.show(source, () => this.painted(turn));
    if (first && open !== null) this.detail.open(open);
  }

  // Charts wait for this (turns.py).
  painted(turn) {
    if (turn) fetch(`${this.grid.source.root}/painted/${turn}`).catch(() => {});
  }

  close() {
    clearTimeout(this.telling);
    this.grid.close();
  }
}

export default function show(component) {
  const parent = component.parentElement;
  if (!galleries.has(parent)) galleries.set(parent, new Gallery(parent));
  galleries.get(parent).update(component);
  return () => {
    galleries.get(parent)?.close();
    galleries.delete(parent);
  };
}
