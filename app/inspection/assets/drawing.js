// Show a drawing that Python made; every name in it was escaped there.
export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".drawing");
  if (root.markup === data.markup) return;
  root.markup = data.markup;
  root.innerHTML = data.markup;
}
