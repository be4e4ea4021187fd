// Draws the specification it is given; tells how much room it has, and which row was clicked.
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
        const drawn = await vegaEmbed(next, spec, { renderer: "svg", actions: false, tooltip: false });
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

  // The arrow keys belong to the control that has the focus, not to the notebook's cells.
  function keys() {
    const output = el.closest(".jp-OutputArea-output");
    if (!output || output.dataset.keys) return;
    output.dataset.keys = "own";
    output.addEventListener("focusin", event => event.target.setAttribute("data-lm-suppress-shortcuts", "true"));
  }

  const watching = new ResizeObserver(() => { measure(); keys(); });
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
