// A grid of tiles of which only the rows in view exist, so that 50,000 images cost as much as 50.
// Arrow keys, Home, End, Page Up and Page Down move; Enter or a click opens.

const TILE = 78; // least width in CSS pixels
const GAP = 8;
const CAPTION = 18;
const PAIR_TILE = 112; // of two runs, whose tiles say more
const PAIR_CAPTION = 50;
const OVERSCAN = 2; // rows above and below the view

class Grid {
  constructor(scroller, open) {
    this.scroller = scroller;
    this.space = scroller.querySelector(".space");
    this.rows = new Map(); // row -> element
    this.active = 0; // the tile that Tab reaches
    this.open = open;
    scroller.onscroll = () => this.draw();
    scroller.onkeydown = (event) => this.key(event);
    scroller.onclick = (event) => {
      const tile = event.target.closest(".tile");
      if (!tile) return;
      this.active = Number(tile.dataset.position);
      this.open(this.active);
    };
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(scroller);
  }

  // `painted` is called once, when every tile in view shows what was asked for.
  show(source, painted) {
    this.pages?.close();
    this.painted = painted;
    this.source = source;
    this.pages = new Pages(source, () => this.draw());
    this.active = 0;
    this.scroller.scrollTop = 0;
    this.resize(true);
  }

  resize(anew = false) {
    if (!this.source) return;
    const width = this.scroller.clientWidth - 2 * 2;
    if (width <= 0) return;
    const [tile, caption] = this.source.pair ? [PAIR_TILE, PAIR_CAPTION] : [TILE, CAPTION];
    const columns = Math.max(1, Math.floor((width + GAP) / (tile + GAP)));
    const side = Math.floor((width + GAP) / columns - GAP);
    if (!anew && columns === this.columns && side === this.side) return this.draw();
    Object.assign(this, { columns, side, pitch: side + caption + GAP });
    this.total = Math.ceil(this.source.count / columns);
    this.space.style.height = `${this.total * this.pitch}px`;
    this.scroller.style.setProperty("--side", `${side}px`);
    this.scroller.setAttribute("aria-rowcount", this.total);
    this.scroller.setAttribute("aria-colcount", columns);
    for (const element of this.rows.values()) element.remove();
    this.rows.clear();
    this.draw();
  }

  // The rows in view, and the pages that they need.
  view() {
    const top = Math.floor(this.scroller.scrollTop / this.pitch);
    const bottom = Math.floor((this.scroller.scrollTop + this.scroller.clientHeight) / this.pitch);
    return { top, bottom: Math.min(this.total - 1, bottom) };
  }

  draw() {
    if (!this.source || !this.columns) return;
    const { top, bottom } = this.view();
    const first = Math.max(0, top - OVERSCAN);
    const last = Math.min(this.total - 1, bottom + OVERSCAN);
    for (const [row, element] of this.rows) {
      if (row < first || row > last) {
        element.remove();
        this.rows.delete(row);
      }
    }
    for (let row = first; row <= last; row += 1) {
      if (!this.rows.has(row)) this.addRow(row);
    }
    this.fill(first, last, top, bottom);
  }

  addRow(row) {
    const element = document.createElement("div");
    element.className = "row";
    element.setAttribute("role", "row");
    element.setAttribute("aria-rowindex", row + 1);
    element.style.transform = `translateY(${row * this.pitch}px)`;
    const end = Math.min(this.source.count, (row + 1) * this.columns);
    for (let position = row * this.columns; position < end; position += 1) {
      element.append(emptyTile(position, this.active));
    }
    this.rows.set(row, element);
    this.space.append(element);
  }

  fill(first, last, top, bottom) {
    const page = (row) => Math.floor((row * this.columns) / this.source.perPage);
    const lastPage = Math.floor((this.source.count - 1) / this.source.perPage);
    const end = Math.min(lastPage, page(last + 1));
    const wanted = [];
    for (let number = page(first); number <= end; number += 1) wanted.push(number);
    let whole = true;
    for (const [row, element] of this.rows) {
      for (const tile of element.children) {
        if (tile.dataset.filled || this.fillTile(tile)) continue;
        if (row >= top && row <= bottom) whole = false;
      }
    }
    this.pages.want(wanted);
    // What tests and benchmarks wait for: every tile in view shows what was asked for last.
    if (!whole) return;
    this.scroller.dataset.painted = this.source.stamp;
    this.painted?.();
    this.painted = null;
  }

  fillTile(tile) {
    const position = Number(tile.dataset.position);
    const { perPage } = this.source;
    const page = this.pages.get(Math.floor(position / perPage));
    const facts = page?.tiles[position % perPage];
    if (!facts) return false;
    fillTile(tile, facts, this.source, page.sheet, position % perPage);
    return true;
  }

  // What is known of the image at a position, if its page is here.
  facts(position) {
    const { perPage } = this.source;
    return this.pages.get(Math.floor(position / perPage))?.tiles[position % perPage];
  }

  key(event) {
    const screen = Math.max(1, Math.floor(this.scroller.clientHeight / this.pitch) - 1);
    const column = this.active % this.columns;
    const step = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: this.columns,
      ArrowUp: -this.columns,
      PageDown: screen * this.columns,
      PageUp: -screen * this.columns,
      Home: event.ctrlKey ? -this.active : -column,
      End: event.ctrlKey ? this.source.count : this.columns - 1 - column,
    }[event.key];
    if (step === undefined || event.altKey || event.metaKey) return;
    event.preventDefault();
    const reached = this.active + step;
    const across = event.key === "ArrowDown" || event.key === "ArrowUp";
    if (across && (reached < 0 || reached >= this.source.count)) return;
    this.focus(Math.min(this.source.count - 1, Math.max(0, reached)));
  }

  // Make a position the active tile, bring it into view, and focus it.
  focus(position, grab = true) {
    this.tileAt(this.active)?.setAttribute("tabindex", "-1");
    this.active = position;
    const top = Math.floor(position / this.columns) * this.pitch;
    const { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop) this.scroller.scrollTop = top;
    else if (top + this.pitch > scrollTop + clientHeight) {
      this.scroller.scrollTop = top + this.pitch - clientHeight;
    }
    this.draw();
    const tile = this.tileAt(position);
    tile?.setAttribute("tabindex", "0");
    if (!grab || !tile) return;
    tile.focus({ preventScroll: true });
    tile.scrollIntoView({ block: "nearest" }); // the page around the grid, too
  }

  tileAt(position) {
    return this.rows.get(Math.floor(position / this.columns))?.children[position % this.columns];
  }

  close() {
    this.observer.disconnect();
    this.pages?.close();
  }
}
