// Forms with data-autosave: answers go to their address a moment after the last change, and the page says in words what became of
// them. While there is no connection, or nobody is signed in, the answers stay in the form and are sent again: every ten seconds,
// when the connection is back, and when the page is looked at again.
(() => {
  "use strict";
  const words = () => document.getElementById("save-state");
  const is = (state) => words()?.classList.contains(`is-${state}`);
  const say = (state, key) => {
    const box = words();
    if (!box) return;
    box.className = `save-state is-${state}`;
    box.querySelector("span").textContent = box.dataset[key] || box.dataset.waiting;
  };

  // Signing in changes the token that a form carries; the new one stands in the same page, read anew.
  const renew = async (form) => {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (!answer.ok || new URL(answer.url).pathname !== location.pathname) return false;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const token = fresh.querySelector("form[data-autosave] input[name=csrfmiddlewaretoken]");
    const field = form.querySelector("input[name=csrfmiddlewaretoken]");
    if (token && field) field.value = token.value;
    return Boolean(token);
  };

  // What became of the answers stays in sight: it stands in the bar of its form.
  const bar = document.querySelector("form[data-autosave] [data-form-bar]");
  const spot = words()?.parentElement;
  if (bar && spot) {
    const where = bar.querySelector(".bar-where");
    bar.insertBefore(words(), where);
    if (!spot.children.length && !spot.textContent.trim()) spot.remove();
  }

  let leaving = false;
  window.addEventListener("pageshow", () => {
    leaving = false;
  });

  for (const form of document.querySelectorAll("form[data-autosave]")) {
    let timer = 0;
    let signedOut = false;
    const send = (after) => {
      clearTimeout(timer);
      timer = setTimeout(async () => {
        if (signedOut) {
          signedOut = !(await renew(form).catch(() => false));
          if (signedOut) return send(10000);
        }
        htmx.trigger(form, "autosave");
      }, after);
    };
    const wait = (key) => {
      say("waiting", key);
      send(10000);
    };
    form.addEventListener("input", () => say("unsaved", "unsaved"));
    form.addEventListener("change", () => {
      say("unsaved", "unsaved");
      send(700);
    });
    form.addEventListener("htmx:beforeRequest", () => say("unsaved", "saving"));
    for (const failure of ["htmx:sendError", "htmx:timeout"]) form.addEventListener(failure, () => wait("waiting"));
    form.addEventListener("htmx:responseError", (event) => {
      signedOut = event.detail.xhr.status === 403;
      wait(signedOut ? "signedOut" : "waiting");
    });
    // An answer from another address is the sign-in page: it is not shown in place of the words.
    document.body.addEventListener("htmx:beforeSwap", (event) => {
      if (event.detail.requestConfig.elt !== form || !event.detail.xhr.responseURL) return;
      if (new URL(event.detail.xhr.responseURL).pathname === form.getAttribute("hx-post")) return;
      event.detail.shouldSwap = false;
      signedOut = true;
      wait("signedOut");
    });
    for (const back of ["online", "focus"]) {
      window.addEventListener(back, () => {
        if (is("waiting")) send(0);
      });
    }
    // The button sends everything: nothing is left behind, and nothing is saved twice.
    form.addEventListener("submit", () => {
      leaving = true;
      clearTimeout(timer);
    });
  }

  window.addEventListener("beforeunload", (event) => {
    if (leaving || !words() || !document.querySelector("form[data-autosave]")) return;
    if (is("unsaved") || is("waiting")) event.preventDefault();
  });
})();
