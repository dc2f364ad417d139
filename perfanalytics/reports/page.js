"use strict";
// Figures are drawn when they come near the view (200 charts at once take twenty seconds), and all before printing.
(() => {
  const pending = new Map();
  const draw = (box) => {
    const data = pending.get(box);
    if (!data) return;
    pending.delete(box);
    const figure = JSON.parse(data.textContent);
    Plotly.newPlot(box, figure.data, figure.layout, { responsive: true, displaylogo: false });
  };
  for (const data of document.querySelectorAll("script[data-for]")) {
    pending.set(document.getElementById(data.dataset.for), data);
  }
  const watcher = new IntersectionObserver(
    (seen) => seen.filter((s) => s.isIntersecting).forEach((s) => { watcher.unobserve(s.target); draw(s.target); }),
    { rootMargin: "600px" },
  );
  pending.forEach((_, box) => watcher.observe(box));
  window.addEventListener("beforeprint", () => {
    document.querySelectorAll("details.method").forEach((d) => { d.open = true; });
    [...pending.keys()].forEach(draw);
  });
})();
