// Pages of tiles, fetched when they come into view: what is known of each image (JSON) and their
// pictures (one JPEG). Bounded; pages that left the view before they came are given up.

const PAGES_KEPT = 40;

class Pages {
  constructor(source, arrived) {
    this.source = source;
    this.arrived = arrived;
    this.held = new Map(); // page -> { tiles, sheet }, least recently used first
    this.asked = new Map(); // page -> AbortController
    this.failed = new Set();
  }

  get(page) {
    const found = this.held.get(page);
    if (found) {
      this.held.delete(page);
      this.held.set(page, found);
    }
    return found;
  }

  // Want these pages and no others: ask for what is missing, give up what is not wanted.
  want(pages) {
    for (const [page, controller] of this.asked) {
      if (!pages.includes(page)) {
        controller.abort();
        this.asked.delete(page);
      }
    }
    for (const page of pages) {
      if (!this.held.has(page) && !this.asked.has(page) && !this.failed.has(page)) {
        this.ask(page);
      }
    }
  }

  async ask(page) {
    const controller = new AbortController();
    this.asked.set(page, controller);
    try {
      const [tiles, sheet] = await Promise.all([
        this.fetch(`tiles/${page}.json`, controller).then((answer) => answer.json()),
        this.source.pictures ? this.sheet(page, controller) : null,
      ]);
      this.keep(page, { tiles: tiles.tiles, sheet });
    } catch (error) {
      if (error.name === "AbortError") return;
      this.failed.add(page);
    } finally {
      if (this.asked.get(page) === controller) this.asked.delete(page);
    }
    this.arrived(page);
  }

  async fetch(name, controller) {
    const query = this.source.query ? `${this.source.query}&` : "";
    const address = `${this.source.url}/${name}?${query}v=${this.source.version}`;
    const answer = await fetch(address, { signal: controller.signal });
    if (!answer.ok) throw new Error(`${answer.status} for ${address}`);
    return answer;
  }

  async sheet(page, controller) {
    const answer = await this.fetch(`sprite/${page}.jpg`, controller);
    return createImageBitmap(await answer.blob());
  }

  keep(page, content) {
    this.held.set(page, content);
    if (this.held.size > PAGES_KEPT) {
      const [oldest, dropped] = this.held.entries().next().value;
      this.held.delete(oldest);
      dropped.sheet?.close();
    }
  }

  // Ask again for what failed, for example after the server came back.
  forgive() {
    this.failed.clear();
  }

  close() {
    this.want([]);
    for (const { sheet } of this.held.values()) sheet?.close();
    this.held.clear();
  }
}
