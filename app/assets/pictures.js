// Asks Plotly's own tool bar, which the style sheet hides, for the picture: it renders what is on
// the screen, in the format that the figure's settings name.
export default function ({ parentElement, data }) {
  const said = parentElement.querySelector("[role=status]");
  const background = getComputedStyle(document.querySelector("[data-testid=stApp]")).backgroundColor;
  const save = (format) => {
    const plot = document.querySelector(`.st-key-${data.figure} .js-plotly-plot`);
    const button = plot?.querySelector(".modebar-btn[data-title^='Download']");
    const options = plot?._context?.toImageButtonOptions;
    if (!button || !options) {
      said.textContent = "The figure is not on the screen yet; try again in a moment.";
      return;
    }
    said.textContent = "";
    // A figure is drawn on the page's background, without one of its own.
    plot.layout.paper_bgcolor = background;
    Object.assign(options, { format, filename: data.name, scale: format === "png" ? 2 : 1 });
    button.click();
  };
  for (const button of parentElement.querySelectorAll("button")) {
    button.onclick = () => save(button.dataset.format);
  }
}
