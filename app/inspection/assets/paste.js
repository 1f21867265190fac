// A picture pasted anywhere on the page, or taken from the clipboard by the button, goes to the
// uploader beside us as if it had been dropped there: one way in, one set of checks.

const KINDS = /^image\/(jpeg|png|webp)$/;

const say = (root, text) => {
  root.querySelector(".said").textContent = text;
};

const uploader = () => document.querySelector('[data-testid="stFileUploader"] input[type="file"]');

const hand = (root, files) => {
  const input = uploader();
  if (!input) {
    say(root, "The upload field is not on the page; reload it and paste again.");
    return;
  }
  const parcel = new DataTransfer();
  for (const file of files) parcel.items.add(file);
  input.files = parcel.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
  say(root, "");
};

const named = (blob) => {
  const time = new Date().toTimeString().slice(0, 8).replaceAll(":", ".");
  const ending = blob.type.split("/")[1] ?? "png";
  return new File([blob], `pasted ${time}.${ending}`, { type: blob.type });
};

// Typing belongs to the field that has the focus, a pasted picture never does.
const onPaste = (root) => (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  if (!files.length) return;
  event.preventDefault();
  // Screenshots all arrive as "image.png": the time tells them apart.
  hand(root, files.map((file) => (file.name === "image.png" ? named(file) : file)));
};

const onClick = (root) => async () => {
  if (!navigator.clipboard?.read) {
    say(root, "This browser lets no page read the clipboard: press Ctrl+V or ⌘V instead.");
    return;
  }
  try {
    const blobs = [];
    for (const item of await navigator.clipboard.read()) {
      const kind = item.types.find((type) => KINDS.test(type));
      if (kind) blobs.push(named(await item.getType(kind)));
    }
    if (blobs.length) hand(root, blobs);
    else say(root, "There is no picture on the clipboard.");
  } catch {
    say(root, "The browser refused to read the clipboard: press Ctrl+V or ⌘V instead.");
  }
};

export default function ({ parentElement }) {
  const root = parentElement.querySelector(".paste");
  const paste = onPaste(root);
  document.addEventListener("paste", paste);
  root.querySelector("button").onclick = onClick(root);
  return () => document.removeEventListener("paste", paste);
}
