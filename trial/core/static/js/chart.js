// Figures: the drawing of the server stands in the page; whoever wants to read single values loads the interactive one.
(() => {
  "use strict";
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  let loading = null;

  const load = (addresses) => {
    loading ??= addresses.reduce(
      (before, address) =>
        before.then(
          () =>
            new Promise((done, failed) => {
              const script = document.createElement("script");
              script.src = address;
              script.onload = done;
              script.onerror = () => failed(new Error(address));
              document.head.append(script);
            }),
        ),
      Promise.resolve(),
    );
    return loading;
  };

  for (const figure of document.querySelectorAll("[data-chart]")) {
    const source = document.getElementById(`${figure.dataset.chart}-spec`);
    const live = figure.querySelector(".figure-live");
    const still = figure.querySelector(".figure-still");
    if (!source || !live) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn";
    button.textContent = figure.dataset.explore;
    button.setAttribute("aria-pressed", "false");

    let fit = async () => {};
    const draw = async () => {
      await load(figure.dataset.vega.split(" "));
      const specs = JSON.parse(source.textContent);
      const spec = dark.matches ? specs.dark : specs.light;
      const { view } = await vegaEmbed(live, spec, {
        mode: "vega-lite",
        renderer: "canvas",
        actions: false,
        ast: true,
        defaultStyle: false,
        tooltip: { disableDefaultStyle: true },
        loader: { http: { credentials: "omit" } },
      });
      // As wide as its card; where the card is narrower than the drawing, it scrolls.
      fit = async () => {
        if (typeof spec.width !== "number" || live.hidden) return;
        const around = live.querySelector("canvas").offsetWidth - view.width();
        const wide = Math.min(live.clientWidth, Number(still.querySelector("img").width) || live.clientWidth);
        const width = Math.max(spec.width, Math.floor(wide - around));
        if (Math.abs(width - view.width()) > 1) await view.width(width).runAsync();
      };
    };
    const show = (interactive) => {
      live.hidden = !interactive;
      still.hidden = interactive;
      button.textContent = interactive ? figure.dataset.still : figure.dataset.explore;
      button.setAttribute("aria-pressed", String(interactive));
    };
    button.addEventListener("click", async () => {
      if (!live.hidden) return show(false);
      button.disabled = true;
      try {
        await draw();
        show(true);
        await fit();
        window.dispatchEvent(new Event("resize")); // what scrolls now is reached by keyboard
      } catch (error) {
        button.remove();
        console.error("The interactive figure could not be loaded:", error);
      }
      button.disabled = false;
    });
    dark.addEventListener("change", () => {
      if (!live.hidden) draw().then(() => fit());
    });
    figure.querySelector(".figure-canvas").after(button);
  }
})();
