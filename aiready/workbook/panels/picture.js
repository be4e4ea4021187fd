// Draws the specification it is given; tells how much room it has, and which row was clicked.

// Charts that differ in their rows alone are compiled once: that is half the time of drawing.
const compiled = new Map();
async function embed(place, spec) {
  const options = { renderer: "svg", actions: false, tooltip: false };
  if (!spec.layer?.every(({ data }) => data?.values)) return vegaEmbed(place, spec, options);
  const rows = new Map(spec.layer.map(({ data }, at) => [`rows_${at}`, data.values]));
  const named = spec.layer.map((layer, at) => ({ ...layer, data: { name: `rows_${at}` } }));
  const shape = JSON.stringify({ ...spec, layer: named, description: "" });
  if (!compiled.has(shape)) {
    const filled = named.map(layer => ({ ...layer, data: { ...layer.data, values: rows.get(layer.data.name) } }));
    const drawn = await vegaEmbed(place, { ...spec, layer: filled }, options);
    compiled.set(shape, drawn.vgSpec);
    return drawn;
  }
  const known = compiled.get(shape);
  const data = known.data.map(source => rows.has(source.name) ? { ...source, values: rows.get(source.name) } : source);
  return vegaEmbed(place, { ...known, data, description: spec.description }, { ...options, mode: "vega" });
}

async function render({ model, el }) {
  const frame = document.createElement("div");
  el.classList.add("aiready-picture");
  el.append(frame);
  let drawing = null;
  let turn = 0;

  async function draw() {
    const mine = ++turn;
    const spec = structuredClone(model.get("spec"));
    el.dataset.busy = "1";
    if (!Object.keys(spec).length) {
      drawing?.finalize();
      drawing = null;
      frame.replaceChildren();
    } else {
      // drawn aside and then put in place, so that nothing jumps while a control is moved
      const next = document.createElement("div");
      try {
        const drawn = await embed(next, spec);
        if (mine !== turn) return drawn.finalize();
        drawing?.finalize();
        drawing = drawn;
        const svg = next.querySelector("svg");
        svg.setAttribute("role", "img");
        svg.setAttribute("aria-label", model.get("label"));
        if (model.get("rows")) choosable(svg, spec);
      } catch (error) {
        next.textContent = `This picture could not be drawn: ${error.message}`;
      }
      frame.replaceChildren(next);
    }
    delete el.dataset.busy;
  }

  // A row can be clicked over its whole width; it is known by its name, as written at its left or above it.
  function choosable(svg, spec) {
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

  function measure() {
    const room = Math.floor(el.clientWidth);
    if (room && Math.abs(room - model.get("room")) > 8) {
      model.set("room", room);
      model.save_changes();
    }
  }

  const watching = new ResizeObserver(measure);
  watching.observe(el);
  model.on("change:spec", draw);
  await draw();
  return () => {
    watching.disconnect();
    model.off("change:spec", draw);
    drawing?.finalize();
  };
}
export default { render };
