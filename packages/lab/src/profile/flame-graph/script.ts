/**
 * Draws flame graphs: for each `.flame` of a page the stacks of one thread name, or of all, as nested boxes. A click or
 * Enter zooms, arrow keys navigate, the search marks functions. It sets only text content, because function names are
 * untrusted.
 */
export const flameScript = `
for (const figure of document.querySelectorAll(".flame")) {
  const data = JSON.parse(figure.querySelector("script").textContent);
  const find = (selector) => figure.querySelector(selector);
  const graph = find(".flame-graph");
  const thread = find("select");
  const search = find("input");
  const details = find(".flame-details");
  const matches = find("output");
  const inverse = find("[data-inverse]");
  const reset = find("[data-reset]");
  const percent = (part, whole) => (100 * part / whole).toFixed(1) + " %";
  let root, zoomed, current, boxes, wanted = "";

  function merge() {
    const fresh = (name, parent) => ({ name, parent, samples: 0, running: 0, children: new Map() });
    root = fresh(thread.selectedOptions[0].textContent, null);
    for (const [index, group] of data.groups.entries()) {
      if (thread.value !== "all" && thread.value !== String(index)) continue;
      for (const [samples, running, ...frames] of group.stacks) {
        const names = frames.map((frame) => data.frames[frame]);
        if (isInverse()) names.reverse();
        if (thread.value === "all") names.unshift(group.name);
        let node = root;
        node.samples += samples;
        node.running += running;
        for (const name of names) {
          if (!node.children.has(name)) node.children.set(name, fresh(name, node));
          node = node.children.get(name);
          node.samples += samples;
          node.running += running;
        }
      }
    }
    zoomed = current = root;
  }

  function draw() {
    const above = [];
    for (let node = zoomed.parent; node; node = node.parent) above.unshift(node);
    boxes = new Map();
    let rows = 0;
    const place = (node, left, width, row) => {
      if (width < 0.0012) return;
      rows = Math.max(rows, row + 1);
      boxes.set(node, box(node, left, width, row));
      let x = left;
      if (above.includes(node)) return;
      for (const child of [...node.children.values()].sort((a, b) => b.samples - a.samples)) {
        const share = width * child.samples / node.samples;
        place(child, x, share, row + 1);
        x += share;
      }
    };
    for (const [row, node] of above.entries()) place(node, 0, 1, row);
    place(zoomed, 0, 1, above.length);
    graph.style.height = rows * 1.3 + "rem";
    graph.replaceChildren(...boxes.values());
    if (!boxes.has(current)) current = zoomed;
    boxes.get(current).tabIndex = 0;
    reset.disabled = zoomed === root;
    mark();
  }

  function box(node, left, width, row) {
    const element = document.createElement("div");
    element.role = "treeitem";
    element.tabIndex = -1;
    element.textContent = node.name;
    element.ariaLevel = String(row + 1);
    element.ariaLabel = describe(node);
    element.title = describe(node);
    element.style.cssText = "left:" + left * 100 + "%;width:" + width * 100 + "%;top:" + row * 1.3
      + "rem;--on:" + Math.round(100 * node.running / node.samples) + "%";
    element.addEventListener("click", () => zoom(node));
    element.addEventListener("focus", () => select(node));
    element.addEventListener("mouseenter", () => { details.textContent = describe(node); });
    return element;
  }

  function describe(node) {
    return node.name + ": " + percent(node.samples, root.samples) + " of " + root.samples + " samples, "
      + percent(node.running, node.samples) + " of these on a CPU";
  }

  function mark() {
    const hit = (node) => wanted !== "" && node.name.toLowerCase().includes(wanted);
    for (const [node, element] of boxes) element.classList.toggle("hit", hit(node));
    let samples = 0;
    const names = new Set();
    const count = (node, inside) => {
      const found = node !== root && hit(node);
      if (found) names.add(node.name);
      if (found && !inside) samples += node.samples;
      for (const child of node.children.values()) count(child, inside || found);
    };
    count(root, false);
    matches.textContent = wanted === "" ? "" : names.size + (names.size === 1 ? " function, " : " functions, ")
      + percent(samples, root.samples) + " of samples";
  }

  function zoom(node) {
    zoomed = current = node;
    draw();
    boxes.get(node).focus();
  }

  function select(node) {
    boxes.get(current)?.setAttribute("tabindex", "-1");
    current = node;
    boxes.get(node).tabIndex = 0;
    details.textContent = describe(node);
  }

  const shown = (nodes) => [...nodes].filter((node) => boxes.has(node));
  const beside = (step) => {
    const row = shown(boxes.keys()).filter((node) => boxes.get(node).ariaLevel === boxes.get(current).ariaLevel);
    return row[row.indexOf(current) + step];
  };
  const keys = {
    ArrowDown: () => shown(current.children.values()).sort((a, b) => b.samples - a.samples)[0],
    ArrowUp: () => current.parent,
    ArrowRight: () => beside(1),
    ArrowLeft: () => beside(-1),
    Home: () => root,
  };
  graph.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Enter" || event.key === " ") zoom(current);
    else if (event.key === "Escape") zoom(root);
    else if (event.key === "/") search.focus();
    else if (event.key in keys) {
      const node = keys[event.key]();
      if (node) boxes.get(node)?.focus();
    } else return;
    event.preventDefault();
  });
  const isInverse = () => inverse.getAttribute("aria-pressed") === "true";
  const again = () => { merge(); draw(); details.textContent = describe(root); };
  thread.addEventListener("change", again);
  inverse.addEventListener("click", () => {
    inverse.setAttribute("aria-pressed", String(!isInverse()));
    again();
  });
  reset.addEventListener("click", () => zoom(root));
  search.addEventListener("input", () => { wanted = search.value.trim().toLowerCase(); mark(); });
  for (const element of figure.querySelectorAll("[hidden]")) element.hidden = false;
  again();
}
`;
