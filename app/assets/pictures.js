// Saves the figure that is on the screen. Plotly's own export draws text with whatever font the
// system has and says so in bubbles of its own; here the picture carries the page's font and a
// line that names it.
const XMLNS = "http://www.w3.org/2000/svg";
const FAMILY = "Source Sans";
const HEAD = 30; // pixels for the line at the top
const PASSING = ".hoverlayer, .draglayer, .zoomlayer";
let fonts;

// The rules of the page's upright font, with the files in them: a picture may load nothing.
async function embeddedFonts() {
  const rules = [...document.styleSheets]
    .flatMap((sheet) => { try { return [...sheet.cssRules]; } catch { return []; } })
    .filter((rule) => rule instanceof CSSFontFaceRule)
    .filter(({ style }) => style.getPropertyValue("font-family").replaceAll('"', "") === FAMILY)
    .filter(({ style }) => style.getPropertyValue("font-style") !== "italic");
  const texts = await Promise.all(rules.map(async (rule) => {
    const url = rule.style.getPropertyValue("src").match(/url\("?([^")]+)"?\)/)?.[1];
    if (!url) return "";
    const base = rule.parentStyleSheet?.href ?? document.baseURI;
    const file = await (await fetch(new URL(url, base))).blob();
    const weight = rule.style.getPropertyValue("font-weight") || "400";
    return `@font-face{font-family:"${FAMILY}";font-weight:${weight};src:url(${await asUrl(file)})}`;
  }));
  return texts.join("");
}

function asUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

function element(name, attributes, text = "") {
  const made = document.createElementNS(XMLNS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

// Plotly draws in layers that lie on one another; the picture has them in one.
async function drawn(plot, title) {
  const layers = [...plot.querySelectorAll(".main-svg")];
  const { width, height } = layers[0].getBoundingClientRect();
  const { backgroundColor, color } = getComputedStyle(
    document.querySelector("[data-testid=stApp]"),
  );
  const whole = element("svg", { width, height: height + HEAD });
  fonts ??= embeddedFonts();
  whole.append(
    element("style", {}, await fonts),
    element("rect", { width: "100%", height: "100%", fill: backgroundColor }),
    element("text", {
      x: 8, y: 20, fill: color, style: `font: 600 14px "${FAMILY}", Arial, sans-serif`,
    }, title),
  );
  const body = element("g", { transform: `translate(0 ${HEAD})` });
  for (const layer of layers) body.append(...layer.cloneNode(true).childNodes);
  for (const passing of body.querySelectorAll(PASSING)) passing.remove();
  whole.append(body);
  return { text: new XMLSerializer().serializeToString(whole), width, height: height + HEAD };
}

async function asPng({ text, width, height }) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), {
    width: 2 * width, height: 2 * height,
  });
  const context = canvas.getContext("2d");
  // The first drawing of a picture may come before its own font is ready.
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  await new Promise((done) => setTimeout(done, 150));
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

export default function ({ parentElement, data }) {
  const said = parentElement.querySelector("[role=status]");
  const save = async (format) => {
    const plot = document.querySelector(`.st-key-${data.figure} .js-plotly-plot`);
    if (!plot?.querySelector(".main-svg")) {
      said.textContent = "The figure is not on the screen yet; try again in a moment.";
      return;
    }
    said.textContent = "";
    try {
      const picture = await drawn(plot, data.name);
      const svg = () => new Blob([picture.text], { type: "image/svg+xml" });
      download(format === "png" ? await asPng(picture) : svg(), `${data.name}.${format}`);
    } catch (error) {
      fonts = undefined;
      said.textContent = `The picture could not be made: ${error.message}.`;
    }
  };
  for (const button of parentElement.querySelectorAll("button")) {
    button.onclick = () => save(button.dataset.format);
  }
}
