// Draws the model's specification; reports the width it has, and the name of the row that was clicked.

// Charts that differ only in their rows are compiled once, which halves the time of drawing.
const compiled = new Map();
async function embed(container, spec) {
  const options = { renderer: "svg", actions: false, tooltip: false };
  if (!spec.layer?.every(({ data }) => data?.values)) return vegaEmbed(container, spec, options);
  const rows = new Map(spec.layer.map(({ data }, index) => [`rows_${index}`, data.values]));
  const layers = spec.layer.map((layer, index) => ({ ...layer, data: { name: `rows_${index}` } }));
  const shape = JSON.stringify({ ...spec, layer: layers, description: "" });
  if (!compiled.has(shape)) {
    const filledLayers = layers.map(layer => ({ ...layer, data: { ...layer.data, values: rows.get(layer.data.name) } }));
    const view = await vegaEmbed(container, { ...spec, layer: filledLayers }, options);
    compiled.set(shape, view.vgSpec);
    return view;
  }
  const vegaSpec = compiled.get(shape);
  const data = vegaSpec.data.map(source => rows.has(source.name) ? { ...source, values: rows.get(source.name) } : source);
  return vegaEmbed(container, { ...vegaSpec, data, description: spec.description }, { ...options, mode: "vega" });
}

async function render({ model, el }) {
  const frame = document.createElement("div");
  el.classList.add("aiready-picture");
  el.append(frame);
  let currentView = null;
  let latestDraw = 0;

  async function draw() {
    const thisDraw = ++latestDraw;
    const spec = structuredClone(model.get("spec"));
    el.dataset.busy = "1";
    if (!Object.keys(spec).length) {
      currentView?.finalize();
      currentView = null;
      frame.replaceChildren();
    } else {
      // drawn outside the page and then inserted, so that nothing jumps while a control is moved
      const next = document.createElement("div");
      try {
        const view = await embed(next, spec);
        if (thisDraw !== latestDraw) return view.finalize();
        currentView?.finalize();
        currentView = view;
        const svg = next.querySelector("svg");
        svg.setAttribute("role", "img");
        svg.setAttribute("aria-label", model.get("label"));
        if (model.get("rows")) makeRowsClickable(svg, spec);
      } catch (error) {
        next.textContent = `This picture could not be drawn: ${error.message}`;
      }
      frame.replaceChildren(next);
    }
    delete el.dataset.busy;
  }

  // A row can be clicked over its whole width; it is identified by the name written at its left or above it.
  function makeRowsClickable(svg, spec) {
    const narrow = spec.padding.left === 0;
    const rows = spec.layer.flatMap(({ data }) => data?.values ?? spec.datasets?.[data?.name] ?? []);
    const names = rows.filter(row => row.label && row.label_y !== undefined);
    svg.style.cursor = "pointer";
    svg.addEventListener("click", event => {
      const y = event.clientY - svg.getBoundingClientRect().top - spec.padding.top;
      const above = narrow ? names.filter(name => name.label_y - 9 <= y).pop() : null;
      const nearest = [...names].sort((a, b) => Math.abs(a.label_y - y) - Math.abs(b.label_y - y))[0];
      const name = above ?? nearest;
      if (!name) return;
      model.set("picked", name.label.replaceAll("\n", " "));
      model.save_changes();
    });
  }

  function reportWidth() {
    const room = Math.floor(el.clientWidth);
    if (room && Math.abs(room - model.get("room")) > 8) {
      model.set("room", room);
      model.save_changes();
    }
  }

  const observer = new ResizeObserver(reportWidth);
  observer.observe(el);
  model.on("change:spec", draw);
  await draw();
  return () => {
    observer.disconnect();
    model.off("change:spec", draw);
    currentView?.finalize();
  };
}
export default { render };
