// What is wrong with a page, line by line. The argument is the least contrast.
const least = arguments[0];
const wrong = [];
const seen = new Set();
const note = (text) => { if (!seen.has(text)) { seen.add(text); wrong.push(text); } };
const what = (element) => {
  const text = (element.innerText || element.textContent || "").trim().replace(/\s+/g, " ").slice(0, 40);
  return `<${element.tagName.toLowerCase()}${element.id ? "#" + element.id : ""}> ${JSON.stringify(text)}`;
};

// Colours as the browser paints them, whatever they are written as.
const canvas = document.createElement("canvas");
canvas.width = canvas.height = 1;
const paint = canvas.getContext("2d", {willReadFrequently: true});
const colour = (written) => {
  paint.clearRect(0, 0, 1, 1);
  paint.fillStyle = written;
  paint.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = paint.getImageData(0, 0, 1, 1).data;
  return [r, g, b, a / 255];
};
const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
const light = (rgb) => {
  const [r, g, b] = rgb.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (one, other) => {
  const [a, b] = [light(one), light(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
};
const background = (element) => {
  const layers = [];
  for (let at = element; at; at = at.parentElement) layers.push(colour(getComputedStyle(at).backgroundColor));
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  let found = dark ? [18, 18, 18, 1] : [255, 255, 255, 1];
  for (const layer of layers.reverse()) found = over(layer, found);
  return found;
};
const isShown = (element) => {
  const box = element.getBoundingClientRect();
  return element.checkVisibility({visibilityProperty: true, opacityProperty: true}) && box.width > 1 && box.height > 1;
};

const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
  const element = walk.currentNode.parentElement;
  if (!walk.currentNode.data.trim() || !isShown(element) || ["TITLE", "OPTION"].includes(element.tagName)) continue;
  if (element.closest(":disabled")) continue;
  const look = getComputedStyle(element);
  const behind = background(element);
  const front = over(colour(element instanceof SVGElement ? look.fill : look.color), behind);
  const found = contrast(front, behind);
  if (found < least) note(`contrast ${found.toFixed(2)} of ${what(element)}`);
}
for (const field of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
  if (!isShown(field)) continue;
  const named = (field.labels && field.labels.length) || field.ariaLabel || field.getAttribute("aria-labelledby");
  if (!named) note(`no label on ${field.name || what(field)}`);
  const behind = background(field);
  const front = over(colour(getComputedStyle(field).color), behind);
  if (contrast(front, behind) < least) note(`contrast ${contrast(front, behind).toFixed(2)} in the field ${field.name}`);
}
for (const control of document.querySelectorAll("a, button, summary")) {
  if (isShown(control) && !control.innerText.trim() && !control.ariaLabel && !control.querySelector("[aria-label], img[alt]")) {
    note(`nothing says what ${control.outerHTML.slice(0, 80)} is for`);
  }
}
for (const picture of document.querySelectorAll("img:not([alt])")) note(`no words for ${picture.outerHTML.slice(0, 80)}`);
if (document.querySelectorAll("h1").length !== 1) note(`${document.querySelectorAll("h1").length} first headings`);
let level = 0;
for (const heading of document.querySelectorAll("main h1, main h2, main h3, main h4")) {
  const now = Number(heading.tagName[1]);
  if (now > level + 1) note(`${what(heading)} leaves a level out`);
  level = now;
}
const ids = Array.from(document.querySelectorAll("[id]"), (element) => element.id);
for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) note(`the id ${id} stands there twice`);
if (!document.title.trim()) note("no title");
if (document.querySelector("main") === null) note("no main part");
const page = document.scrollingElement;
if (page.scrollWidth > page.clientWidth) {
  const edge = page.clientWidth + 1;
  const wide = Array.from(document.body.querySelectorAll("*")).filter((element) => {
    for (let at = element.parentElement; at && at !== document.body; at = at.parentElement) {
      if (getComputedStyle(at).overflowX !== "visible") return false;
    }
    return element.getBoundingClientRect().right > edge;
  });
  note(`wider than the screen by ${page.scrollWidth - page.clientWidth}: ${wide.slice(-1).map(what)}`);
}
for (const styled of document.querySelectorAll("[style], script:not([src])")) note(`inline: ${styled.outerHTML.slice(0, 60)}`);
return wrong;
