// Small helps of every page. Nothing here is needed to read a page or to post a form.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("scripted");

  // The running header of printed pages: the words stand in the page, CSS puts them on each sheet.
  const quote = (text) => '"' + text.replace(/[\\"]/g, "\\$&").replace(/[\n\r]/g, " ") + '"';
  for (const corner of ["left", "right"]) {
    root.style.setProperty(`--print-${corner}`, quote(root.getAttribute(`data-print-${corner}`) || ""));
  }

  // A page with errors begins at their list.
  const summary = document.querySelector("[data-error-summary]");
  if (summary) summary.focus();

  // A form is sent once, however often the button is pressed; coming back by the browser makes it usable again.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    if (form.method === "post" && !form.hasAttribute("hx-post")) form.dataset.sent = "1";
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });

  // A table that scrolls is reached by keyboard; one that fits is no stop.
  const reach = () => {
    for (const box of document.querySelectorAll(".scrolls")) {
      if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  reach();
  window.addEventListener("resize", reach);

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
  });
})();
