// How far some work is, by our own route; and one request to run the page again once more of the
// work has ended.
//
// With that request goes the page that the browser shows. Between a click on a link and the next
// page it would lead back, and the click be lost: so none is sent for a while after a click.

const LOOK = 500; // ms between looks
const AGAIN = 3000; // after a request, or a fault
const AFTER_CLICK = 1000;
const AFTER_LINK = 15000; // a page that is left takes this script along, mostly much sooner

let quietUntil = 0;

document.addEventListener(
  "click",
  (event) => {
    const link = event.composedPath().some((each) => each.tagName === "A" && each.href);
    const until = performance.now() + (link ? AFTER_LINK : AFTER_CLICK);
    quietUntil = Math.max(quietUntil, until);
  },
  true,
);

const draw = (root, { text, share }) => {
  const bar = root.querySelector(".bar");
  root.querySelector(".words").textContent = text;
  bar.classList.toggle("unknown", share === null);
  bar.firstElementChild.style.width = `${100 * (share ?? 0)}%`;
  bar.setAttribute("aria-valuetext", text);
  if (share === null) bar.removeAttribute("aria-valuenow");
  else bar.setAttribute("aria-valuenow", Math.round(100 * share));
};

const look = async (root, data, ask) => {
  let next = LOOK;
  try {
    const answer = await fetch(data.url, { cache: "no-store" });
    if (root.url !== data.url) return; // another wait began meanwhile
    const found = answer.ok ? await answer.json() : null;
    if (found) draw(root, found);
    // Unknown to the server, it is one more that has ended: the page knows what became of it.
    const ended = found ? found.ended : data.now.ended + 1;
    if (ended > data.now.ended && performance.now() >= quietUntil) {
      ask(ended);
      next = AGAIN;
    }
  } catch {
    next = AGAIN; // no server: Streamlit says so
  }
  if (root.url === data.url) root.timer = setTimeout(look, next, root, data, ask);
};

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".waiting");
  const bar = root.querySelector(".bar");
  const what = { role: "progressbar", "aria-label": "Progress", "aria-valuemin": 0, "aria-valuemax": 100 };
  for (const [name, value] of Object.entries(what)) bar.setAttribute(name, value);
  clearTimeout(root.timer);
  root.url = data.url;
  draw(root, data.now);
  root.timer = setTimeout(look, LOOK, root, data, (ended) => setTriggerValue("ended", ended));
  return () => {
    clearTimeout(root.timer);
    root.url = null;
  };
}
