// Scales: number keys answer and move on; "31 of 53" follows. Without script the radio buttons work as they are.
(() => {
  "use strict";
  const rows = () => [...document.querySelectorAll("[data-scale-row]")];
  const answered = (row) => row.querySelector("input:checked");

  const count = () => {
    const done = document.querySelector("[data-scale-done]");
    if (done) done.textContent = String(rows().filter(answered).length);
  };

  const moveOn = (row) => {
    const all = rows();
    const next = all[all.indexOf(row) + 1];
    if (!next) return;
    (answered(next) || next.querySelector("input")).focus();
    next.scrollIntoView({ block: "nearest" });
  };

  const answer = (row, input) => {
    input.checked = true;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    moveOn(row);
  };

  // A code of two digits ("10") waits a moment for its second digit.
  let typed = "";
  let timer = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !/^[0-9]$/.test(event.key)) return;
    const row = event.target.closest("[data-scale-row]");
    if (!row || event.target.type !== "radio") return;
    const inputs = [...row.querySelectorAll("input[type=radio]:not(:disabled)")];
    const find = (code) => inputs.find((input) => input.value === code);
    typed += event.key;
    if (!inputs.some((input) => input.value.startsWith(typed))) typed = event.key;
    event.preventDefault();
    clearTimeout(timer);
    const code = typed;
    const longer = inputs.some((input) => input.value !== code && input.value.startsWith(code));
    const done = () => {
      typed = "";
      const input = find(code);
      if (input) answer(row, input);
    };
    if (longer) timer = setTimeout(done, 600);
    else done();
  });
  document.addEventListener("change", (event) => {
    if (event.target.closest("[data-scale-row]")) count();
  });
  count();
})();
